// A stand-in for AWS's runtime interface client: gets an event, calls the handler, posts the outcome.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

// Like AWS's own: an import would cost 20 ms on Node 24, which must not count as the function's cold start.
const { request } = createRequire(import.meta.url)('node:http')

const { AWS_LAMBDA_RUNTIME_API, LAMBDA_TASK_ROOT, _HANDLER } = process.env

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const url = `http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/${path}`
    request(url, { method }, async response => {
      let text = ''
      for await (const chunk of response.setEncoding('utf8')) text += chunk
      resolve({ headers: response.headers, text })
    })
      .on('error', reject)
      .end(body && JSON.stringify(body))
  })
}

const errorBody = ({ name, message, stack }) => ({
  errorType: name,
  errorMessage: message,
  stackTrace: stack.split('\n'),
})

async function load() {
  const [file, name] = _HANDLER.split('.')
  const { [name]: handler } = await import(pathToFileURL(join(LAMBDA_TASK_ROOT, `${file}.mjs`)).href)
  // A third parameter would be a callback, which Lambda's Node 24 does not support.
  if (typeof handler !== 'function' || handler.length >= 3)
    throw new TypeError(`${_HANDLER} is not a handler`)
  return handler
}

const handler = await load().catch(async cause => {
  await call('POST', 'init/error', errorBody(cause))
  process.exit(1)
})
for (;;) {
  const { headers, text } = await call('GET', 'invocation/next')
  const awsRequestId = headers['lambda-runtime-aws-request-id']
  const deadlineAt = Number(headers['lambda-runtime-deadline-ms'])
  const context = { awsRequestId, getRemainingTimeInMillis: () => deadlineAt - Date.now() }
  const [kind, body] = await handler(JSON.parse(text), context).then(
    reply => ['response', reply],
    cause => ['error', errorBody(cause)],
  )
  await call('POST', `invocation/${awsRequestId}/${kind}`, body)
}
