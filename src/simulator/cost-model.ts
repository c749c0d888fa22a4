// What work costs in virtual CPU. The figures are of the machine in architecture.md §6, rounded; without them a protocol
// whose cost grows with the square of its size would look as good as one that is linear.

export interface CostModel {
  /** Taking one frame from a link, or handing one to it. */
  frameUs: number
  /** Moving a byte through a link and its encryption. */
  byteUs: number
  hashByteUs: number
  hashUs: number
  signUs: number
  verifyUs: number
  /** One step of a protocol. */
  stepUs: number
  /** One operation in the state machine. */
  applyUs: number
}

export const costModel: CostModel = {
  frameUs: 60,
  byteUs: 0.005,
  hashByteUs: 0.0025,
  hashUs: 1,
  signUs: 60,
  verifyUs: 130,
  stepUs: 3,
  applyUs: 4,
}
