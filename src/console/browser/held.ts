/** Live elements that are to be brought up to date now: not those that are paused, or held while somebody is in them. */
export const LIVE = '[data-live]:not([data-paused], [data-held])'

/**
 * Lets a reader stop what is live: all of it by a button, and an element with `data-holds` by being in it with the keyboard or the
 * pointer, so that nothing moves away under a finger.
 */
export function holdLiveElements(page: Document): void {
  const all = [...page.querySelectorAll<HTMLElement>('[data-live]')]
  const button = page.querySelector<HTMLButtonElement>('button[data-pauses]')
  if (!button || all.length === 0) return
  const show = () => showState(page, all)
  button.hidden = false
  button.addEventListener('click', () => {
    const isPaused = button.getAttribute('aria-pressed') !== 'true'
    button.setAttribute('aria-pressed', String(isPaused))
    for (const element of all) element.toggleAttribute('data-paused', isPaused)
    show()
  })
  for (const element of all.filter(({ dataset }) => dataset.holds !== undefined)) {
    const hold = () => {
      element.toggleAttribute('data-held', element.matches(':hover, :focus-within'))
      show()
    }
    // after the focus has moved
    for (const event of ['focusin', 'focusout', 'pointerenter', 'pointerleave'])
      element.addEventListener(event, () => setTimeout(hold))
  }
}

function showState(page: Document, all: readonly HTMLElement[]): void {
  const state = page.querySelector('[data-pause-state]')
  if (!state) return
  const has = (name: string) => all.some(element => element.hasAttribute(name))
  state.textContent = has('data-paused')
    ? 'Stands still'
    : has('data-held')
      ? 'Stands still while you are in it'
      : ''
}
