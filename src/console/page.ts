import type { SafeHtml } from '@remix-run/html-template'
import type { FastifyRequest } from 'fastify'

/**
 * A page of the console. What is to stay up to date stands in elements with an `id` and `data-live`: while the page is visible,
 * it is rendered again every 2 s, and what differs in them is replaced.
 */
export interface ConsolePage {
  /** Its path below `/console`, such as `/databases` or `/records/:id`. */
  readonly path: string
  readonly title: string
  /** What it is for, in one sentence below its title. */
  readonly description: string
  /** The path of the page that it belongs to in the navigation, which then has no link to it; default: its own. */
  readonly below?: string
  /** The names of the scripts that it needs, beside the one of every page. */
  readonly scripts?: readonly string[]
  /** Whether a form on it is sent to its own path by POST; `request.body` is then `URLSearchParams`. */
  readonly takesForm?: true
  /** Returns what stands in it. Throws a `JetonError` for a request that it cannot answer. */
  render(request: FastifyRequest): SafeHtml | Promise<SafeHtml>
}
