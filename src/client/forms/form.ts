import type { ClientFamily } from '../client-family.ts'
import type { ConnectAddress } from '../connect-address.ts'
import type { TokenReply } from '../token-reply.ts'

/** What a form is made of. */
export interface FormLogin {
  reply: TokenReply
  /** An absolute path. Undefined if the client has to know the CA by itself. */
  caFile?: string | undefined
  connectAddress?: ConnectAddress | undefined
}

/** A way to write a login down: for a file, a variable, or a program that reads it. */
export interface Form {
  /** Whether the text refers to a CA bundle, so that there should be one. */
  refersToCa: boolean
  /** The only clients that read it; any unless given. */
  family?: ClientFamily
  /** Returns the text, which contains the token, with a line break at its end. Throws CallerError if it cannot be written so. */
  render(login: FormLogin): string
}
