// The signatures of clients on a real host: verified before anybody in the replica asks for them, on other threads where there are cores for them.

import { AheadVerifier } from '../crypto/node/ahead-verifier.ts'
import type { VerifyAhead } from './core/payload-checks.ts'
import { ClientIntake, type ClientIntakeOptions } from './client-intake.ts'
import { CoresLeft } from './cores-left.ts'

export interface VerificationOptions extends Omit<ClientIntakeOptions, 'verifyAhead'> {
  /** What is thrown within is a bug of ours, and ends the replica alone. */
  guarded: (step: () => void) => void
  /** Asks for a turn soon. */
  turn: () => void
}

export class Verification {
  readonly #cores = new CoresLeft()
  readonly verifier = new AheadVerifier({ threadsPay: () => this.#cores.sufficeForThreads })
  readonly ahead: VerifyAhead
  readonly clients: ClientIntake

  constructor(options: VerificationOptions) {
    this.ahead = (signed, done, urgency) => {
      const answered = (): void => {
        options.guarded(done)
        options.turn()
      }
      this.verifier.ahead(signed, answered, urgency)
    }
    this.clients = new ClientIntake({ ...options, verifyAhead: this.ahead })
  }

  close(): void {
    this.verifier.close()
  }
}
