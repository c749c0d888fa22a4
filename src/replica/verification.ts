// The signatures of clients on a real host: verified on other threads before anybody in the replica asks for them.

import { ThreadVerifier } from '../crypto/node/thread-verifier.ts'
import type { VerifyAhead } from './core/payload-checks.ts'
import { ClientIntake, type ClientIntakeOptions } from './client-intake.ts'

export interface VerificationOptions extends Omit<ClientIntakeOptions, 'verifyAhead'> {
  /** Asks for a turn soon. */
  turn: () => void
}

export class Verification {
  readonly verifier = new ThreadVerifier()
  readonly ahead: VerifyAhead
  readonly clients: ClientIntake

  constructor(options: VerificationOptions) {
    this.ahead = (signed, done) =>
      this.verifier.ahead(signed, () => {
        done()
        options.turn()
      })
    this.clients = new ClientIntake({ ...options, verifyAhead: this.ahead })
  }

  close(): void {
    this.verifier.close()
  }
}
