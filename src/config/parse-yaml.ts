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

/** Anchors save writing; beyond this many uses of what they hold, a small file could stand for a huge one. */
const MOST_ALIASES = 10_000

const ADVICE: Readonly<Partial<Record<YAMLError['code'], string>>> = {
  BAD_ALIAS: 'an alias (*name) that names no anchor before it: quote text that begins with *',
  DUPLICATE_KEY: 'a key that its mapping has already',
  MULTIPLE_DOCS: 'a second document: one file holds one',
  NON_STRING_KEY: 'a key that is not text',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  TAB_AS_INDENT: 'a tab: indent with spaces',
  TAG_RESOLVE_FAILED: 'a tag that is not known here: quote text that begins with !',
}

/**
 * The value that a YAML 1.2 or JSON text holds. A number in `claims` that would not read back as it was written (1.10, 0123,
 * 1e5, an id beyond 2^53) becomes the text that was written, for claims compare by their text.
 * Throws `ConfigError` with line and column where it is neither; the text is never quoted.
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
  if (faults.length > 0) throw notYaml(faults, lineCounter)
  try {
    const dangling = danglingAliases(document)
    if (dangling.length > 0) throw notYaml(dangling, lineCounter)
    keepClaimsToTheLetter(document)
    return document.toJS({ maxAliasCount: MOST_ALIASES })
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    const message = 'stands for more than a configuration holds: too many aliases, or nested too deeply'
    throw new ConfigError([{ path: '', message }])
  }
}

type Fault = Pick<YAMLError | YAMLWarning, 'code' | 'pos'>

function danglingAliases(document: Document): Fault[] {
  const anchors = new Set<string>()
  const faults: Fault[] = []
  visit(document, {
    Value(_key, { anchor }) {
      if (anchor) anchors.add(anchor)
    },
    Alias(_key, { source, range }) {
      const [at = 0, end = at] = range ?? []
      if (!anchors.has(source)) faults.push({ code: 'BAD_ALIAS', pos: [at, end] })
    },
  })
  return faults
}

function keepClaimsToTheLetter(document: Document): void {
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

/** One fault a line: what follows on the same line mostly follows from it. */
function notYaml(faults: readonly Fault[], lineCounter: LineCounter): ConfigError {
  const lines = new Map<number, string>()
  for (const { code, pos } of faults) {
    const { line, col } = lineCounter.linePos(pos[0])
    const what = ADVICE[code] ?? code.toLowerCase().replaceAll('_', ' ')
    if (!lines.has(line)) lines.set(line, `line ${line}, column ${col}: is not YAML as read here (${what})`)
  }
  const inOrder = [...lines].sort(([a], [b]) => a - b)
  return new ConfigError(inOrder.map(([, message]) => ({ path: '', message })))
}
