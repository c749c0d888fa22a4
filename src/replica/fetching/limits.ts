// Every bound of fetching payloads and decided blocks, each with its test. docs/limits.md lists them.

/** One answer: payloads and proofs together; one block, however large, may always be sent. */
export const answerBytesMax: number = 4 * 1024 * 1024
export const blocksAnsweredMax = 256
/** Signatures that one answer may cost whoever asked: so many heights are asked for that those of all voters come to no more. */
export const signaturesAskedMax = 512
/** A request: whatever is larger was not made by our code. */
export const requestBytesMax = 64
/** Things fetched at one time: the oldest gives way. */
export const fetchesMax = 64
/** Requests to one server that are not answered. */
export const requestsAskedMax = 16
/** Without an answer for so long a request counts as lost; twice as long after each in a row. */
export const answerMsMin = 1000
export const answerMsMax = 8000

/** Requests of one member that wait to be answered; what comes beyond is dropped. */
export const requestsWaitingMax = 16
/** Handed out in one turn. */
export const servedBytesAtOnce: number = 4 * 1024 * 1024
export const servedAnswersAtOnce = 16
/** What an answer costs at least, so that small ones are not free. */
export const answerCostMin = 4096
/** Of blocks handed out, in all. */
export const blocksBytesPerSecond: number = 32 * 1024 * 1024
