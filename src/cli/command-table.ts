// All commands: what the overview says of each, and where it lies. What a command imports is loaded when it is called, and not before.

import type { Command, CommandGroup } from './command.ts'

export interface TableEntry {
  name: string
  /** As in the command's own spec. */
  summary: string
  load: () => Promise<Command | CommandGroup>
}

export const commandTable: readonly TableEntry[] = [
  {
    name: 'up',
    summary: 'runs a network of replicas on this machine until Ctrl-C',
    load: async () => (await import('./commands/up.ts')).upCommand,
  },
  {
    name: 'start',
    summary: 'runs one replica until Ctrl-C',
    load: async () => (await import('./commands/start.ts')).startCommand,
  },
  {
    name: 'status',
    summary: 'shows how every replica of a network is',
    load: async () => (await import('./commands/status.ts')).statusCommand,
  },
  {
    name: 'put',
    summary: 'writes a key of the built-in store',
    load: async () => (await import('./commands/put.ts')).putCommand,
  },
  {
    name: 'get',
    summary: 'prints the value of a key of the built-in store',
    load: async () => (await import('./commands/get.ts')).getCommand,
  },
  {
    name: 'delete',
    summary: 'removes a key of the built-in store',
    load: async () => (await import('./commands/delete.ts')).deleteCommand,
  },
  {
    name: 'scan',
    summary: 'lists keys of the built-in store in order',
    load: async () => (await import('./commands/scan.ts')).scanCommand,
  },
  {
    name: 'submit',
    summary: "orders a command of one's own application, given as JSON",
    load: async () => (await import('./commands/submit.ts')).submitCommand,
  },
  {
    name: 'sim',
    summary: 'runs a network in the simulator, one history for each seed, and checks it',
    load: async () => (await import('./commands/sim.ts')).simCommand,
  },
  {
    name: 'complexity',
    summary: 'counts what each protocol costs at each size: messages, bytes, signatures, delays',
    load: async () => (await import('./commands/complexity.ts')).complexityCommand,
  },
  {
    name: 'bench',
    summary: 'measures protocols on real processes beside other systems, and writes a report',
    load: async () => (await import('./commands/bench.ts')).benchCommand,
  },
  {
    name: 'init',
    summary: 'makes a whole network for this machine: keys, the approved network file, data directories',
    load: async () => (await import('./commands/init.ts')).initCommand,
  },
  {
    name: 'keygen',
    summary: 'makes the keys of a member and the file it gives to others, or the key of a client',
    load: async () => (await import('./commands/keygen.ts')).keygenCommand,
  },
  {
    name: 'network',
    summary: 'makes, approves, merges and checks a network file',
    load: async () => (await import('./commands/network.ts')).networkCommands,
  },
  {
    name: 'wal',
    summary: "inspects and verifies a replica's log, offline",
    load: async () => (await import('./commands/wal.ts')).walCommands,
  },
  {
    name: 'snapshot',
    summary: "saves, verifies and restores a replica's snapshots",
    load: async () => (await import('./commands/snapshot.ts')).snapshotCommands,
  },
  {
    name: 'audit',
    summary: "verifies replicas' directories offline: signatures, decisions, checkpoints, evidence, agreement",
    load: async () => (await import('./commands/audit.ts')).auditCommand,
  },
]
