/** A `Secret` of Kubernetes, with its labels and decoded data. */
export interface KubernetesSecret {
  readonly labels?: Readonly<Record<string, string>>
  readonly data: Readonly<Record<string, string>>
}

/** The `spec` of a Webhook generator, as far as the pages use it. */
export interface WebhookSpec {
  url: string
  method?: string
  headers?: Record<string, string>
  body?: string
  result: { jsonPath?: string }
  secrets?: { name: string; secretRef: { name: string } }[]
}

type Values = Readonly<Record<string, unknown>>

/**
 * Does what the Webhook generator of the External Secrets Operator does (its pkg/common/webhook/webhook.go): returns a key for
 * each member of the reply, text as it is and all else as JSON. Throws as it does, for a Secret without its label, a status
 * that is not 2xx, and a reply that is no object.
 */
export async function generate(
  { url, method = 'GET', headers = {}, body = '', result, secrets = [] }: WebhookSpec,
  secretOf: (name: string) => KubernetesSecret,
): Promise<Record<string, string>> {
  if (result.jsonPath !== undefined) throw new Error('this stand-in knows no jsonPath')
  const values: Record<string, Values> = {}
  for (const { name, secretRef } of secrets) {
    const { labels = {}, data } = secretOf(secretRef.name)
    if (labels['external-secrets.io/type'] !== 'webhook')
      throw new Error('secret does not contain needed label')
    values[name] = { ...values[name], ...data }
  }
  const reply = await fetch(render(url, values), {
    method,
    headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, render(text, values)])),
    body: render(body, values),
  })
  if (reply.status === 404) throw new Error('Secret does not exist')
  if (!reply.ok) throw new Error(`endpoint gave error ${reply.status} ${reply.statusText}`)
  const members: unknown = await reply.json()
  if (typeof members !== 'object' || members === null || Array.isArray(members)) throw new Error('wrong type')
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  )
}

/**
 * Renders what the pages use of Go's templates, and throws for anything else: `{{ .a.b }}` and `{{ (.a | fromJson).b }}`. As
 * Go's, a key that is missing is `<no value>`.
 */
export function render(template: string, values: Values): string {
  return template.replace(/\{\{(.*?)\}\}/g, (_, expression: string) => {
    const [, json, path = ''] =
      /^ (?:\(\.(\w+) \| fromJson\))?((?:\.\w+)+) $/.exec(expression) ??
      fail(`cannot render {{${expression}}}`)
    const from: unknown = json === undefined ? values : JSON.parse(String(values[json]))
    const found = path
      .slice(1)
      .split('.')
      .reduce<unknown>((value, name) => (value as Values | undefined)?.[name], from)
    return found === undefined ? '<no value>' : String(found)
  })
}

function fail(message: string): never {
  throw new Error(message)
}
