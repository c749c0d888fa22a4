// The bounds of the built-in store. Agreed on: a change here is a change of the state machine, and raises its version.

/** Bytes of a key; at least 1. */
export const keyBytesMax = 1024
/** Bytes of a value. */
export const valueBytesMax: number = 512 * 1024
/** Comparisons in one transaction. */
export const transactionComparesMax = 128
/** Operations in each branch of one transaction. */
export const transactionOperationsMax = 128
/** Bytes of the values that one transaction returns. */
export const transactionResultBytesMax: number = 768 * 1024
/** Entries in one answer to a scan. */
export const scanEntriesMax = 1000
/** Bytes of keys and values in one answer to a scan, unless the first entry alone has more. */
export const scanBytesMax: number = 512 * 1024
/** Leases at one time. */
export const leasesMax = 65_536
/** Keys attached to one lease. */
export const leaseKeysMax = 4096
/** Longest time to live that can be asked for. */
export const leaseTtlMsMax: number = 366 * 24 * 3600 * 1000
/** Leases and keys of expired leases that are removed at the beginning of one block; the rest follows in the blocks after. */
export const expiredPerBlockMax = 4096
