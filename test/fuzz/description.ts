import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { withoutReferences } from '../support/openapi.ts'

/** An operation of /openapi.json, as far as the fuzz reads it. */
export interface Operation {
  readonly path: string
  /** In upper case. */
  readonly method: string
  readonly pathParameters: readonly string[]
  /** The schema of its JSON body, if it has one. */
  readonly bodySchema: JsonSchema | undefined
  readonly responses: ReadonlyMap<number, DocumentedResponse>
}

export interface DocumentedResponse {
  /** A validator for each media type; undefined for text. */
  readonly contents: ReadonlyMap<string, ValidateFunction | undefined>
  /** Names of the headers that it says every such reply has, in lower case. */
  readonly headers: readonly string[]
}

/** The parts of JSON Schema that the generator reads. */
export interface JsonSchema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
}

/** What /openapi.json promises. */
export interface Description {
  readonly operations: readonly Operation[]
  /** Validates the body of a problem. */
  readonly problem: ValidateFunction
  /** Returns the operations of a path as it is in a request, by method; undefined if no path of the document matches. */
  operationsAt(path: string): ReadonlyMap<string, Operation> | undefined
}

interface Document {
  paths: Record<string, Record<string, DocumentedOperation>>
}
interface DocumentedOperation {
  parameters?: { name: string; in: string }[]
  requestBody?: { content: Record<string, { schema: JsonSchema }> }
  responses: Record<
    string,
    { content?: Record<string, { schema: JsonSchema }>; headers?: Record<string, { required?: boolean }> }
  >
}

export const PROBLEM_TYPE = 'application/problem+json'
const JSON_TYPE = 'application/json'

/** Parses an OpenAPI document. Throws if it describes no problem. */
export function readDescription(document: unknown): Description {
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  const compile = (type: string, schema: JsonSchema) =>
    type.endsWith('json') ? ajv.compile(schema) : undefined
  const operations = Object.entries(withoutReferences(document as Document).paths).flatMap(([path, item]) =>
    Object.entries(item).map(
      ([method, { parameters = [], requestBody, responses }]): Operation => ({
        path,
        method: method.toUpperCase(),
        pathParameters: parameters.filter(parameter => parameter.in === 'path').map(({ name }) => name),
        bodySchema: requestBody?.content[JSON_TYPE]?.schema,
        responses: new Map(
          Object.entries(responses).map(([status, { content = {}, headers = {} }]) => [
            Number(status),
            {
              contents: new Map(
                Object.entries(content).map(([type, { schema }]) => [type, compile(type, schema)]),
              ),
              headers: Object.entries(headers)
                .filter(([, header]) => header.required)
                .map(([name]) => name.toLowerCase()),
            },
          ]),
        ),
      }),
    ),
  )
  const problem = operations
    .flatMap(({ responses }) => [...responses.values()])
    .map(({ contents }) => contents.get(PROBLEM_TYPE))
    .find(validate => validate !== undefined)
  if (!problem) throw new Error('the document describes no problem')

  const paths = [...new Set(operations.map(({ path }) => path))].map(path => ({
    pattern: patternOf(path),
    byMethod: new Map(operations.filter(one => one.path === path).map(one => [one.method, one])),
  }))
  return {
    operations,
    problem,
    operationsAt: path => paths.find(({ pattern }) => pattern.test(path))?.byMethod,
  }
}

function patternOf(path: string): RegExp {
  const text = path
    .split(/(\{\w+\})/)
    .map(part => (part.startsWith('{') ? '[^/]+' : part.replace(/[.*+?^$()|[\]\\]/g, '\\$&')))
    .join('')
  return new RegExp(`^${text}$`)
}
