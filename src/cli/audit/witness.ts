// What all directories of an audit say together: who signed what, which blocks were decided, which states were reached. Only what was
// verified is handed in; where two of it contradict each other, somebody has lied, or a disk or a machine is wrong.

import { toHex } from '../../kernel/hex.ts'
import type { SigningDomain } from '../../kernel/domains.ts'
import type { Height, ReplicaId, View } from '../../kernel/ids.ts'

/** One replica has signed two statements of which no correct one signs both. */
export interface Lie {
  replica: ReplicaId
  domain: SigningDomain
  /** Such as `view 3, height 5`. */
  about: string
  /** Where its statements, or the evidence of them, lie. */
  directories: string[]
}

export interface Version {
  digest: string
  directories: string[]
  /** Whoever signed it; none where it is one directory's word. */
  signers: ReplicaId[]
  /** In which it was decided. */
  views: View[]
}

/** Two versions of what there can be one of. */
export interface Disagreement {
  kind: 'block' | 'state' | 'entry'
  height: Height
  /** raft: of the entry. */
  term?: number
  versions: Version[]
  /** Whoever signed more than one version. */
  signedBoth: ReplicaId[]
  /** Directories that stand against a certificate, or against most others; null: it cannot be told. */
  wrong: string[] | null
}

interface Said {
  digest: string
  directory: string
}

export class Witness {
  readonly #statements = new Map<string, Said>()
  readonly #versions = new Map<string, Version[]>()
  readonly #lies = new Map<string, Lie>()

  /** `digest` names what was signed. */
  statement(directory: string, replica: ReplicaId, domain: SigningDomain, about: string, digest: Uint8Array): void {
    const name = `${domain} ${replica} ${about}`
    const known = this.#statements.get(name)
    const said = { digest: toHex(digest), directory }
    if (known === undefined) this.#statements.set(name, said)
    else if (known.digest !== said.digest) this.lie(replica, domain, about, [known.directory, directory])
  }

  lie(replica: ReplicaId, domain: SigningDomain, about: string, directories: readonly string[]): void {
    const name = `${domain} ${replica} ${about}`
    const known = this.#lies.get(name)?.directories ?? []
    this.#lies.set(name, { replica, domain, about, directories: [...new Set([...known, ...directories])] })
  }

  /** A block with a proof that holds. */
  decided(directory: string, height: Height, digest: Uint8Array, view: View, signers: readonly ReplicaId[]): void {
    this.#version(`block ${height}`, {
      digest: toHex(digest),
      directories: [directory],
      signers: [...signers],
      views: [view],
    })
  }

  /** An executed header; `signers` of its certificate, if it has one that holds. */
  state(directory: string, height: Height, digest: Uint8Array, signers: readonly ReplicaId[]): void {
    this.#version(`state ${height}`, {
      digest: toHex(digest),
      directories: [directory],
      signers: [...signers],
      views: [],
    })
  }

  /** raft: one term has one leader, and a leader makes one entry for each index. */
  entry(directory: string, height: Height, term: number, digest: Uint8Array): void {
    this.#version(`entry ${height} ${term}`, {
      digest: toHex(digest),
      directories: [directory],
      signers: [],
      views: [],
    })
  }

  get lies(): Lie[] {
    return [...this.#lies.values()]
  }

  /** Heights of which two directories, or more, have said the same. */
  get compared(): number {
    return [...this.#versions.values()].filter((versions) => directoriesOf(versions).length > 1).length
  }

  get disagreements(): Disagreement[] {
    return [...this.#versions].flatMap(([name, versions]) =>
      versions.length < 2 ? [] : [disagreementOf(name, versions)],
    )
  }

  /** One block may have several proofs, each of a quorum: their signers all stand for it. */
  #version(name: string, made: Version): void {
    const versions = this.#versions.get(name) ?? []
    this.#versions.set(name, versions)
    const known = versions.find(({ digest }) => digest === made.digest)
    if (known === undefined) versions.push(made)
    else {
      known.directories = [...new Set([...known.directories, ...made.directories])]
      known.signers = [...new Set([...known.signers, ...made.signers])]
      known.views = [...new Set([...known.views, ...made.views])]
    }
  }
}

function disagreementOf(name: string, versions: readonly Version[]): Disagreement {
  const [kind, height, term] = name.split(' ') as [Disagreement['kind'], string, string | undefined]
  const signedBoth = versions
    .flatMap(({ signers }) => signers)
    .filter((signer, index, all) => all.indexOf(signer) !== index)
  return {
    kind,
    height: Number(height),
    ...(term === undefined ? {} : { term: Number(term) }),
    versions: versions.map((version) => ({ ...version, signers: sorted(version.signers) })),
    signedBoth: sorted([...new Set(signedBoth)]),
    wrong: wrongOf(versions),
  }
}

/**
 * A quorum's word is right against a single disk's. Where nobody signed, most directories are right, and a tie tells nothing. Two
 * quorums that contradict each other leave nobody to believe.
 */
function wrongOf(versions: readonly Version[]): string[] | null {
  const signed = versions.filter(({ signers }) => signers.length > 0)
  if (signed.length > 1) return null
  const all = directoriesOf(versions).length
  const right = signed[0] ?? versions.find(({ directories }) => 2 * directories.length > all)
  if (right === undefined) return null
  return directoriesOf(versions.filter((version) => version !== right))
}

function directoriesOf(versions: readonly Version[]): string[] {
  return [...new Set(versions.flatMap(({ directories }) => directories))]
}

function sorted(replicas: readonly ReplicaId[]): ReplicaId[] {
  return replicas.toSorted((left, right) => left - right)
}
