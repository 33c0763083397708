import { withoutWrappedSignatures } from '../../authentication/jwt-signature.ts'
import { element } from './element.ts'
import { clearOnLeaving } from './leaving.ts'
import { claimsToSend, isSendable } from './sent-claims.ts'
import { isShutOut, SHUT_OUT } from './shut-out.ts'

const TIMEOUT_MS = 30_000
const TAKEN_OUT = 'A signature was taken out, and is not sent.'

const form = element('explain', HTMLFormElement)
const claims = element('claims', HTMLTextAreaElement)
const state = element('claims-state', HTMLElement)
const explained = element('explained', HTMLElement)

/** The pasted text is cleaned before it is in the field. */
claims.addEventListener('paste', event => {
  const pasted = event.clipboardData?.getData('text')
  if (pasted === undefined || pasted === '') return
  event.preventDefault()
  claims.setRangeText(withoutWrappedSignatures(pasted), claims.selectionStart, claims.selectionEnd, 'end')
  state.textContent = withoutWrappedSignatures(pasted) === pasted ? '' : TAKEN_OUT
  cleanField()
})
claims.addEventListener('input', cleanField)

/** What was typed, dropped or put together of several pieces. */
function cleanField(): void {
  const { value } = claims
  const clean = withoutWrappedSignatures(value)
  if (clean === value) return
  claims.value = clean
  state.textContent = TAKEN_OUT
}

form.addEventListener('submit', event => {
  event.preventDefault()
  cleanField()
  explain()
})

function explain(): void {
  const sent = claimsToSend(claims.value)
  const names = {
    database: element('database', HTMLInputElement).value,
    user: element('user', HTMLInputElement).value,
  }
  if (!sent.ok) showProblem(sent.problem)
  else if (Object.values(names).every(isSendable)) ask(sent.text, names)
  else showProblem('there is a secret in the place of the database or its user. Nothing was sent.')
}

function ask(text: string, names: { database: string; user: string }): void {
  const time = element('time', HTMLInputElement).value
  const question = new URLSearchParams({
    claims: text,
    issuer: element('issuer', HTMLSelectElement).value,
    ...names,
    at: time === '' ? '' : new Date(time).toISOString(),
  })
  explained.setAttribute('aria-busy', 'true')
  // its reply is a document, without a text that would have to be trusted
  const request = new XMLHttpRequest()
  request.responseType = 'document'
  request.timeout = TIMEOUT_MS
  request.addEventListener('loadend', () => {
    explained.removeAttribute('aria-busy')
    show(request.responseXML, request.status)
  })
  request.open('POST', location.pathname)
  request.send(question)
}

function show(page: Document | null, status: number): void {
  const explanation = page?.getElementById('explained')
  if (status === 200 && explanation) {
    explained.replaceChildren(...explanation.childNodes)
    explained.focus()
  } else if (isShutOut(status)) showProblem(SHUT_OUT)
  else showProblem(page?.querySelector('.error')?.textContent ?? 'jeton could not be reached.')
}

function showProblem(text: string): void {
  const problem = document.createElement('p')
  problem.className = 'problem'
  problem.setAttribute('role', 'alert')
  problem.textContent = text
  explained.replaceChildren(problem)
}

clearOnLeaving(() => {
  claims.value = claims.defaultValue
  state.textContent = ''
  explained.replaceChildren()
})
element('explain-button', HTMLButtonElement).disabled = false
