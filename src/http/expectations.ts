import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'

/** Requests whose client waits for word before it sends the body. */
const waiting = new WeakSet<IncomingMessage>()

/**
 * Makes a server pass on requests with `Expect: 100-continue` without asking for their body, which `askForBody` does once the
 * credential has verified (RFC 9110, 10.1.1). Expectations that it does not know are ignored, as that permits.
 */
export function answerExpectations(server: Server, listener: RequestListener): void {
  server.on(
    'checkContinue',
    (request: IncomingMessage, response: ServerResponse & { req: IncomingMessage }) => {
      waiting.add(request)
      listener(request, response)
    },
  )
  server.on('checkExpectation', listener)
}

/** Tells a client that waits for word to send its body. */
export function askForBody(request: IncomingMessage, response: ServerResponse): void {
  if (waiting.delete(request)) response.writeContinue()
}
