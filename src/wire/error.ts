// The only error that decoding may raise. A reader of hostile bytes catches this one and nothing else.

export type WireErrorCode =
  | 'ERR_WIRE_TRUNCATED' // the value needs more bytes than there are
  | 'ERR_WIRE_TRAILING' // bytes are left behind the value
  | 'ERR_WIRE_RANGE' // an integer above 2^53-1, or outside what its field allows
  | 'ERR_WIRE_LIMIT' // a list, string or value above its named limit
  | 'ERR_WIRE_TAG' // an unknown variant, flag or version
  | 'ERR_WIRE_ORDER' // a set whose members are not strictly ascending

export class WireError extends Error {
  readonly code: WireErrorCode
  override readonly name = 'WireError'

  constructor(code: WireErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
