// Every code that a caller or an operator can meet, with its meaning and the next step. docs/errors.md is made from this table, and a
// test holds the sources to it.

export interface ErrorMeaning {
  meaning: string
  nextStep: string
  /** Of an operation: whether it certainly was not executed. `either`: the error itself says which. */
  certainty?: 'definite' | 'indefinite' | 'either'
}

const operationCodes = {
  ERR_OVERLOADED: {
    certainty: 'definite',
    meaning: 'too many operations wait here already; nothing of this one has left',
    nextStep: 'try again after `retryAfterMs`, or submit less at once',
  },
  ERR_DEADLINE: {
    certainty: 'either',
    meaning: 'no answer came in time; `certainty` says whether the operation may have been executed',
    nextStep: 'where it is indefinite, read the state before trying again; raise `deadlineMs` if the network is slow',
  },
  ERR_ABORTED: {
    certainty: 'either',
    meaning: "the caller's signal ended the wait",
    nextStep: 'where it is indefinite, read the state before trying again',
  },
  ERR_CLOSED: { certainty: 'either', meaning: 'the client or replica was closed', nextStep: 'make a new one' },
  ERR_INVALID_COMMAND: {
    certainty: 'definite',
    meaning: "the state machine's `validate` refuses the command on every replica",
    nextStep: 'correct the command',
  },
  ERR_OPERATION_FAILED: {
    certainty: 'definite',
    meaning: "the state machine's `apply` threw on every replica, and was undone",
    nextStep: 'correct the state machine or the command',
  },
  ERR_REPLY_EVICTED: {
    certainty: 'indefinite',
    meaning: 'the operation was executed most likely, and its result is no longer kept',
    nextStep: 'read the state to find out',
  },
  ERR_SESSION_EXPIRED: {
    certainty: 'indefinite',
    meaning: 'the session was evicted while the operation was under way',
    nextStep: 'read the state to find out whether it was executed',
  },
  ERR_SEQUENCE_REUSED: {
    certainty: 'definite',
    meaning: "the operation's number stands for something else",
    nextStep: 'do not run two clients on one session',
  },
  ERR_INVALID_QUERY: {
    certainty: 'definite',
    meaning: 'the state machine refuses the query',
    nextStep: 'correct the query',
  },
  ERR_MALFORMED: {
    certainty: 'definite',
    meaning: 'the operation is too large, or the replicas cannot read what was sent',
    nextStep: 'split the operation; run the same release on clients and replicas',
  },
  ERR_RESULT_UNREADABLE: {
    certainty: 'indefinite',
    meaning: 'the operation was executed, and its result does not decode with the codec given',
    nextStep: 'use the state machine definition that the replicas run',
  },
} as const satisfies Record<string, ErrorMeaning>

const replicaCodes = {
  ERR_REPLICA_FAILED: {
    meaning: 'the replica has failed for good; its `cause` says why',
    nextStep: 'look at the cause; restart the replica when it is mended',
  },
  ERR_IDENTITY_NOT_MEMBER: {
    meaning: 'no member of the network file has these keys',
    nextStep: 'name the identity that belongs to this network file',
  },
  ERR_LISTEN: {
    meaning: 'an address cannot be listened at',
    nextStep: 'free the port, or correct the address',
  },
  ERR_NO_REPLICA: {
    meaning: 'no replica could be reached in time',
    nextStep: 'check that the replicas run and that the key is permitted',
  },
  ERR_EXECUTION_HALTED: {
    meaning:
      'the state machine broke its contract, and the replica executes no further; it is the `cause` of a failed replica',
    nextStep: 'correct the state machine: the message names the height and the operation',
  },
} as const satisfies Record<string, ErrorMeaning>

const networkFileCodes = {
  ERR_NETWORK_TOO_LARGE: {
    meaning: 'the network file is larger than any is',
    nextStep: 'check that it is the right file',
  },
  ERR_NETWORK_SYNTAX: { meaning: 'the network file is no sound JSON', nextStep: 'correct the line named' },
  ERR_NETWORK_VERSION: {
    meaning: 'the network file is of another version',
    nextStep: 'use the release it was made for',
  },
  ERR_NETWORK_FIELD: { meaning: 'a field is missing, unknown or out of bounds', nextStep: 'correct the field named' },
  ERR_NETWORK_PROTOCOL: { meaning: 'the protocol is unknown', nextStep: 'name raft, pbft or hotstuff' },
  ERR_NETWORK_DUPLICATE: { meaning: 'two members share an id, name or key', nextStep: 'give each its own' },
  ERR_NETWORK_TOO_FEW: { meaning: 'the members survive no fault', nextStep: 'add members' },
  ERR_NETWORK_KEY: { meaning: 'a key is no sound public key', nextStep: 'take the key from the member file' },
  ERR_NETWORK_SIGNATURES: { meaning: 'the protocol needs signed envelopes', nextStep: 'say required' },
  ERR_NETWORK_APPROVAL: {
    meaning: 'an approval is bad, or not of a member, or for another file',
    nextStep: 'let the member approve this file again',
  },
  ERR_NETWORK_UNAPPROVED: {
    meaning: 'not every member has approved the network file',
    nextStep: 'let those named run `quorate network approve`, and merge',
  },
  ERR_NETWORK_FILE: { meaning: 'the network file cannot be read', nextStep: 'correct the path' },
  ERR_NETWORK_PROOF: {
    meaning: "a member file's keys have not both signed it",
    nextStep: 'let the organisation make it again with `quorate keygen`',
  },
} as const satisfies Record<string, ErrorMeaning>

const storageCodes = {
  ERR_KEY_FILE_EXISTS: {
    meaning: 'a key file is there and is not overwritten',
    nextStep: 'choose another name, or move that key away',
  },
  ERR_KEY_FILE_NOT_FOUND: { meaning: 'the key file does not exist', nextStep: 'generate a key, or correct the path' },
  ERR_KEY_FILE_PERMISSIONS: {
    meaning: 'others than its owner may use the key',
    nextStep: 'run `chmod 600` on it, and replace the key if someone may have read it',
  },
  ERR_KEY_FILE_TOO_LARGE: { meaning: 'the file is larger than any key file', nextStep: 'correct the path' },
  ERR_KEY_FILE_FORMAT: {
    meaning: 'the file is no key file, or is damaged',
    nextStep: 'restore it from a backup, or correct the path',
  },
  ERR_KEY_FILE_VERSION: { meaning: 'the key file is of a later release', nextStep: 'use that release' },
  ERR_KEY_FILE_PURPOSE: { meaning: 'the key is for something else', nextStep: 'name the right file' },
  ERR_KEY_FILE_MISMATCH: {
    meaning: 'the halves of the key do not belong together',
    nextStep: 'restore it from a backup',
  },
  ERR_KEY_FILE_IO: { meaning: 'the key file cannot be read or written', nextStep: 'check its disk, and who owns it' },
  ERR_DATA_DIRECTORY_MISSING: {
    meaning: 'there is no data directory here, or no log in it',
    nextStep:
      'correct the path, or mount its disk; before the first start, `quorate init --member`; if it is lost, `quorate start --rejoin`',
  },
  ERR_DATA_DIRECTORY_NOT_EMPTY: {
    meaning: 'making the data directory would overwrite what is there',
    nextStep: 'name a folder that does not exist or is empty',
  },
  ERR_TRANSFER_REFUSED: {
    meaning: 'leadership was not handed over',
    nextStep: 'the message says why; the replica that led leads on',
  },
  ERR_DIVERGED: {
    meaning: 'this replica executed a height with another result than a quorum signed: it sends nothing more',
    nextStep: 'find out why its state machine is not deterministic; keep its directory for that',
  },
  ERR_STATE_NOT_RESTORED: {
    meaning: 'a state that a quorum signed cannot be taken over by this state machine',
    nextStep: 'run the release that the others run',
  },
  ERR_DIRECTORY_LOCKED: {
    meaning: 'another process has the data directory open, or may have',
    nextStep: 'stop that process; if none runs, remove the lock file named',
  },
  ERR_DISK_FULL: { meaning: 'the disk is full', nextStep: 'free space; a running replica resumes by itself' },
  ERR_DISK_IO: {
    meaning: 'the disk failed; after a failed fsync nobody knows what is on it',
    nextStep: 'replace the disk; the replica stays down',
  },
  ERR_LOG_NOT_EMPTY: {
    meaning: "the log's folder is not empty",
    nextStep: 'name one that does not exist or has nothing in it',
  },
  ERR_LOG_EMPTY_DIRECTORY: {
    meaning: "the log's folder is empty: its disk was lost, or another is mounted",
    nextStep: 'mount the right disk; if it is lost, `quorate start --rejoin`: the replica follows without a vote',
  },
  ERR_LOG_FOREIGN_DIRECTORY: {
    meaning: 'the folder belongs to another replica or network, or is no log',
    nextStep: "name the replica's own folder",
  },
  ERR_LOG_FORMAT_VERSION: {
    meaning: 'the log is of another format version',
    nextStep: 'start the release that wrote it',
  },
  ERR_LOG_CORRUPT: {
    meaning: 'something that was synced is bad or missing',
    nextStep: '`quorate start --rejoin`: what is left is set aside, and the replica follows without a vote',
  },
  ERR_LOG_UNREADABLE: {
    meaning: 'a file of the log cannot be read',
    nextStep: 'check the disk; if the log is lost, `quorate start --rejoin`: the replica follows without a vote',
  },
  ERR_LOG_OUTDATED: {
    meaning:
      'the log is an old copy: others have seen a newer start of this replica, or another one with the same number',
    nextStep: 'mount the newest one; if it is lost, `quorate start --rejoin`: the replica follows without a vote',
  },
  ERR_SNAPSHOT_FOREIGN_DIRECTORY: {
    meaning: "the snapshots in the folder are another network's",
    nextStep: "name the replica's own folder",
  },
  ERR_SNAPSHOT_FORMAT_VERSION: {
    meaning: 'the snapshots are of another format version',
    nextStep: 'start the release that wrote them',
  },
  ERR_SNAPSHOT_UNREADABLE: {
    meaning: 'the folder of the snapshots cannot be read',
    nextStep: 'check the disk, and who may use it',
  },
  ERR_SNAPSHOT_INCOMPLETE: {
    meaning: 'chunks of the snapshot are missing, or were found damaged',
    nextStep: 'none: the replica writes or fetches them again',
  },
  ERR_SNAPSHOT_UNKNOWN: {
    meaning: 'a certificate came for a snapshot that is not on disk',
    nextStep: 'none: the next checkpoint brings another',
  },
} as const satisfies Record<string, ErrorMeaning>

const commandLineCodes = {
  ERR_NO_SUCH_KEY: { meaning: 'the store has no such key', nextStep: 'list the keys with `quorate scan`' },
  ERR_REFUSED: { meaning: 'the store refuses the command, and nothing was changed', nextStep: 'correct the command' },
  ERR_APPLICATION: {
    meaning: 'the module of `--app` does not load, or exports no state machine',
    nextStep: 'name a JavaScript module that exports `stateMachine`',
  },
  ERR_CLIENTS_FILE: { meaning: 'a line of the list of clients is no public key', nextStep: 'correct the line named' },
  ERR_FILE_EXISTS: {
    meaning: 'a file is there and is not overwritten',
    nextStep: 'choose another name, or move it away',
  },
  ERR_FILE_NOT_READ: { meaning: 'a file cannot be read', nextStep: 'name a file that exists' },
  ERR_FILE_NOT_WRITTEN: {
    meaning: 'a file cannot be written',
    nextStep: 'check that its folder exists, is yours and has space',
  },
  ERR_FOLDER_IN_USE: {
    meaning: 'the folder to be made is the one that you are in',
    nextStep: 'name a new folder inside it',
  },
  ERR_FOLDER_NOT_EMPTY: {
    meaning: 'the folder to be made has something in it',
    nextStep: 'name a new folder, or empty that one',
  },
  ERR_NOT_AS_SAID: {
    meaning: "the network file says something else of the member than the member's own file does",
    nextStep: 'ask whoever assembled it',
  },
  ERR_NOT_A_MEMBER: { meaning: 'the key is of no member of the network file', nextStep: 'name the folder of a member' },
  ERR_NO_PORTS: {
    meaning: 'the address offers no free ports',
    nextStep: 'name an address of this machine, or `--port`',
  },
  ERR_OTHER_NETWORK: {
    meaning: 'the files or options are of different networks',
    nextStep: 'name files of one network, whose id is the same',
  },
  ERR_BENCHMARK_ROUND: {
    meaning: 'what is to be measured cannot be: the message says why',
    nextStep: 'correct the options of `bench`',
  },
  ERR_SYSTEM_MISSING: {
    meaning: 'a system to compare with is not installed',
    nextStep: 'install it as the message says, or leave it out',
  },
  ERR_SYSTEM_NOT_STARTED: {
    meaning: 'a system that is to be measured does not serve; the message has its last words',
    nextStep: 'look at what it said; try again',
  },
  ERR_PROFILE: {
    meaning: 'the file is no CPU profile',
    nextStep: 'name a file that `node --cpu-prof` or `quorate bench --profile` has written',
  },
  ERR_NETEM: {
    meaning: 'this machine cannot delay packets: no root, no iproute2, or a kernel without netem',
    nextStep: 'run `bench` as root on a machine that can, or leave `--round-trip-ms` out',
  },
  ERR_REPORT: {
    meaning: 'the file is no report of `bench` that this release reads',
    nextStep: 'name a report.json that `quorate bench` has written',
  },
  ERR_SNAPSHOT_NONE: {
    meaning: 'the folder holds no certified snapshot',
    nextStep: "name a replica's folder that has passed a checkpoint, or a saved snapshot",
  },
  ERR_SNAPSHOT_DAMAGED: {
    meaning: 'the snapshot is not what its own header says',
    nextStep: 'take a snapshot of another replica',
  },
  ERR_SNAPSHOT_UNSIGNED: {
    meaning: 'no quorum of the network has signed the snapshot',
    nextStep: 'take a snapshot of a replica of that network',
  },
  ERR_SNAPSHOT_NOT_NEWER: {
    meaning: 'the replica has a snapshot of that height or above already',
    nextStep: 'none: it needs no older one',
  },
} as const satisfies Record<string, ErrorMeaning>

export const errorCodes = {
  ...operationCodes,
  ...replicaCodes,
  ...networkFileCodes,
  ...storageCodes,
  ...commandLineCodes,
} as const

export type ErrorCode = keyof typeof errorCodes

export interface ErrorGroup {
  title: string
  codes: Readonly<Record<string, ErrorMeaning>>
}

/** In the order of docs/errors.md. */
export const errorGroups: readonly ErrorGroup[] = [
  { title: 'Operations', codes: operationCodes },
  { title: 'Replicas and clients', codes: replicaCodes },
  { title: 'Network and member files', codes: networkFileCodes },
  { title: 'Keys, directories, disks', codes: storageCodes },
  { title: 'The command line', codes: commandLineCodes },
]
