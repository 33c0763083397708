import { type DecodedToken, decodeToken } from '../../client/decode/decode-token.ts'
import { timeProblems } from '../../client/decode/token-checks.ts'
import { NOTHING_WRONG, tokenFactRows } from '../../client/decode/token-words.ts'
import { element } from './element.ts'
import { clearOnLeaving } from './leaving.ts'

/** A key or a word of a phone's keyboard. */
const MAX_TYPED = 32
const TICK_MS = 1000
/** Longer than a token that was percent-encoded several times. */
const MAX_LENGTH = 64 * 1024
/** They change while one looks, so they are found anew. */
const TIME_CODES = ['expired', 'not_yet_valid', 'lifetime']

const field = element('token', HTMLTextAreaElement)
const decoded = element('decoded', HTMLElement)
const recordsUrl = decoded.dataset.records ?? ''
let timer: ReturnType<typeof setInterval> | undefined
/** How many texts were shown or cleared: what is late for its own must not come back. */
let generation = 0

/** The pasted text never gets into the field, from where it could be copied, stored or sent. */
field.addEventListener('paste', event => {
  event.preventDefault()
  void show(event.clipboardData?.getData('text') ?? '')
})
/** What was dropped or put there at once; what is typed waits for the button. */
field.addEventListener('input', event => {
  const typed = event instanceof InputEvent && event.inputType === 'insertText' ? event.data : undefined
  if (typed == null || typed.length > MAX_TYPED) void show(takeText())
})

const button = element('decode-button', HTMLButtonElement)
button.addEventListener('click', () => void show(takeText()))
button.disabled = false
const clearButton = element('clear-button', HTMLButtonElement)
clearButton.addEventListener('click', () => {
  clear()
  field.focus()
})
clearButton.disabled = false
clearOnLeaving(clear)

function takeText(): string {
  const { value } = field
  field.value = ''
  return value
}

function clear(): void {
  generation++
  clearInterval(timer)
  field.value = ''
  decoded.replaceChildren()
}

async function show(text: string): Promise<void> {
  clear()
  const own = generation
  if (text.trim() === '') return
  if (text.length > MAX_LENGTH)
    return decoded.replaceChildren(paragraph('problem', 'It is longer than any token.'))
  const token = decodeToken(text, { now: Date.now(), sha256: sha256Hex })
  const lasting = token.problems
    .filter(({ code }) => !TIME_CODES.includes(code))
    .map(({ message }) => message)
  // without TLS, browsers hash on this machine's own addresses alone
  const fingerprint = await token.fingerprint?.catch(() => undefined)
  if (own !== generation) return
  const facts = factList()
  const problems = document.createElement('div')
  problems.setAttribute('role', 'status')
  const update = () => {
    const now = Date.now()
    facts.replaceChildren(...factElements(token, now))
    showProblems(problems, [...lasting, ...timeProblems(token, now).map(({ message }) => message)])
  }
  update()
  decoded.replaceChildren(
    problems,
    facts,
    ...(fingerprint === undefined ? [] : fingerprintParts(fingerprint)),
  )
  timer = setInterval(update, TICK_MS)
  decoded.focus()
}

function factElements(token: DecodedToken<unknown>, now: number): HTMLElement[] {
  return tokenFactRows(token, now).map(([label, text]) => fact(label, text))
}

/** Only if they differ, so that a screen reader does not say them each second. */
function showProblems(part: HTMLElement, messages: readonly string[]): void {
  const id = messages.join('\n')
  if (part.dataset.shown === id) return
  part.dataset.shown = id
  part.replaceChildren(messages.length === 0 ? paragraph('good', NOTHING_WRONG) : problemList(messages))
}

function problemList(messages: readonly string[]): HTMLElement {
  const list = document.createElement('ul')
  list.className = 'problems'
  list.append(...messages.map(message => withText('li', message)))
  return list
}

function fingerprintParts(fingerprint: string): HTMLElement[] {
  const link = withText('a', 'Its records') as HTMLAnchorElement
  link.href = recordsUrl + fingerprint
  const list = factList()
  list.append(fact('fingerprint', fingerprint))
  const line = document.createElement('p')
  line.append(link)
  return [list, line]
}

function factList(): HTMLElement {
  const list = document.createElement('dl')
  list.className = 'facts'
  return list
}

function fact(label: string, text: string): HTMLElement {
  const made = document.createElement('div')
  made.append(withText('dt', label), withText('dd', text))
  return made
}

async function sha256Hex(text: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(hash), byte => byte.toString(16).padStart(2, '0')).join('')
}

function paragraph(className: string, text: string): HTMLElement {
  const made = withText('p', text)
  made.className = className
  return made
}

function withText(name: string, text: string): HTMLElement {
  const made = document.createElement(name)
  made.textContent = text
  return made
}
