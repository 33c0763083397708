import { parse, parseAllDocuments } from 'yaml'

interface Input {
  default?: unknown
  type?: 'string' | 'number' | 'boolean' | 'array'
  regex?: string
}

/** A job as GitLab makes it of a configuration. */
export interface GitlabJob {
  image?: string
  id_tokens?: Record<string, { aud: string }>
  variables?: Record<string, string>
  before_script?: string[]
  script: string[]
  [key: string]: unknown
}

/**
 * Fills in the inputs of a component as GitLab does: `Interpolation::TextTemplate` puts the text of an input, or the JSON of
 * another type, into the text of the file, which is parsed after that. Returns the jobs. Throws as GitLab refuses inputs.
 */
export function fillInComponent(
  text: string,
  inputs: Readonly<Record<string, unknown>>,
): Record<string, GitlabJob> {
  const [header, ...others] = parseAllDocuments(text)
  if (header === undefined) throw new Error('a component has a header')
  const { spec } = header.toJS() as { spec: { inputs: Record<string, Input> } }
  if (others.length !== 1) throw new Error('a component has a header and one document')
  const body = text.slice(text.indexOf('\n---\n') + 5)
  const unknown = Object.keys(inputs).filter(name => !(name in spec.inputs))
  if (unknown.length > 0) throw new Error(`unknown input arguments: ${unknown.join(', ')}`)
  const values = new Map(
    Object.entries(spec.inputs).map(([name, input]) => [name, inputValue(name, input, inputs[name])]),
  )
  const filled = body.replace(/\$\[\[\s*inputs\.([\w-]+)\s*\]\]/g, (block, name) => {
    if (!values.has(name)) throw new Error(`unknown interpolation key: ${block}`)
    const value = values.get(name)
    return typeof value === 'string' ? value : JSON.stringify(value)
  })
  return parse(filled)
}

function inputValue(
  name: string,
  { type = 'string', regex, default: byDefault }: Input,
  given: unknown,
): unknown {
  const value = given ?? byDefault
  if (value === undefined) throw new Error(`\`${name}\` input: required value has not been provided`)
  const kind = Array.isArray(value) ? 'array' : typeof value
  if (kind !== type) throw new Error(`\`${name}\` input: provided value is not ${type}`)
  if (regex !== undefined && !new RegExp(regex).test(String(value)))
    throw new Error(`\`${name}\` input: provided value does not match required RegEx pattern`)
  return value
}
