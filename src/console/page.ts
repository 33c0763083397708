import type { SafeHtml } from '@remix-run/html-template'
import type { FastifyRequest } from 'fastify'

/** A page of the console. */
export interface ConsolePage {
  /** Its path below `/console`, such as `/databases`. */
  readonly path: string
  readonly title: string
  /** What it is for, in one sentence below its title. */
  readonly description: string
  /** The names of the scripts that it needs, beside the one of every page. */
  readonly scripts?: readonly string[]
  /** Returns what stands in it. Throws a `JetonError` for a request that it cannot answer. */
  render(request: FastifyRequest): SafeHtml | Promise<SafeHtml>
}
