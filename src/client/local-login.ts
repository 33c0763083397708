import type { TokenReply } from './token-reply.ts'

/** What leads a program to `jeton proxy`, which logs it in. Nothing of it is secret. */
export interface LocalLogin extends Pick<TokenReply, 'engine' | 'user' | 'dbname'> {
  /** The path of the Unix socket; undefined if the proxy listens on loopback. */
  socket?: string | undefined
  /** That in the socket's name, or that of loopback. */
  port: number
}
