import {
  type Document,
  isPair,
  isScalar,
  LineCounter,
  parseDocument,
  visit,
  type YAMLError,
  type YAMLWarning,
} from 'yaml'
import { ConfigError } from './problems.ts'

/** Anchors save typing, but with unlimited aliases a small file could expand to a huge one. */
const MAX_ALIASES = 10_000

const ADVICE: Readonly<Partial<Record<YAMLError['code'], string>>> = {
  BAD_ALIAS: 'an alias (*name) without an anchor before it: quote text that begins with *',
  DUPLICATE_KEY: 'a key that the mapping already has',
  MULTIPLE_DOCS: 'a second document: a file may contain only one',
  NON_STRING_KEY: 'a key that is not text',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  TAB_AS_INDENT: 'a tab: indent with spaces',
  TAG_RESOLVE_FAILED: 'an unknown tag: quote text that begins with !',
}

/**
 * Returns the value of a YAML 1.2 or JSON text. A number in `claims` that would not print as it was written (1.10, 0123,
 * 1e5, an id beyond 2^53) becomes the text that was written, because claims compare by their text. Throws `ConfigError`
 * with line and column if the text is neither; never quotes the text.
 */
export function parseConfigText(text: string): unknown {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    logLevel: 'error',
    schema: 'core',
    resolveKnownTags: false,
    stringKeys: true,
  })
  const faults = [...document.errors, ...document.warnings]
  if (faults.length > 0) throw yamlError(faults, lineCounter)
  try {
    const aliasFaults = findDanglingAliases(document)
    if (aliasFaults.length > 0) throw yamlError(aliasFaults, lineCounter)
    keepClaimsAsWritten(document)
    return document.toJS({ maxAliasCount: MAX_ALIASES })
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    const message = 'has too many aliases, or is nested too deeply'
    throw new ConfigError([{ path: '', message }])
  }
}

type Fault = Pick<YAMLError | YAMLWarning, 'code' | 'pos'>

/** The parser checks aliases only when it resolves them, and its message then quotes them. */
function findDanglingAliases(document: Document): Fault[] {
  const anchors = new Set<string>()
  const faults: Fault[] = []
  visit(document, {
    Value(_key, { anchor }) {
      if (anchor) anchors.add(anchor)
    },
    Alias(_key, { source, range }) {
      const [start = 0, end = start] = range ?? []
      if (!anchors.has(source)) faults.push({ code: 'BAD_ALIAS', pos: [start, end] })
    },
  })
  return faults
}

function keepClaimsAsWritten(document: Document): void {
  visit(document, {
    Scalar(_key, scalar, path) {
      const { value, source } = scalar
      if (typeof value !== 'number' || !source || source === String(value)) return
      if (path.some(isClaims)) scalar.value = source
    },
  })
}

function isClaims(node: unknown): boolean {
  return isPair(node) && isScalar(node.key) && node.key.value === 'claims'
}

/** Reports one fault for each line, because others on the same line mostly follow from it. */
function yamlError(faults: readonly Fault[], lineCounter: LineCounter): ConfigError {
  const messages = new Map<number, string>()
  for (const { code, pos } of faults) {
    const { line, col } = lineCounter.linePos(pos[0])
    const fault = ADVICE[code] ?? code.toLowerCase().replaceAll('_', ' ')
    if (!messages.has(line))
      messages.set(line, `line ${line}, column ${col}: cannot be read as YAML (${fault})`)
  }
  const inOrder = [...messages].sort(([a], [b]) => a - b)
  return new ConfigError(inOrder.map(([, message]) => ({ path: '', message })))
}
