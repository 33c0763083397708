/** Live elements that are to be brought up to date now: not those that are paused, or held while somebody is in them. */
export const LIVE = '[data-live]:not([data-paused], [data-held])'

/**
 * Lets a reader stop what is live: by a button with `data-pauses`, the id of the element, or by being in it with the keyboard or
 * the pointer, so that nothing moves away under a finger.
 */
export function holdLiveElements(page: Document): void {
  for (const button of page.querySelectorAll<HTMLButtonElement>('[data-pauses]')) {
    const element = page.getElementById(button.dataset.pauses ?? '')
    if (!element) continue
    button.hidden = false
    button.addEventListener('click', () => {
      const isPaused = element.toggleAttribute('data-paused')
      button.setAttribute('aria-pressed', String(isPaused))
      showState(button, element)
    })
    const hold = () => {
      element.toggleAttribute('data-held', isInside(element))
      showState(button, element)
    }
    // after the focus has moved
    for (const event of ['focusin', 'focusout', 'pointerenter', 'pointerleave'])
      element.addEventListener(event, () => setTimeout(hold))
  }
}

function isInside(element: Element): boolean {
  return element.matches(':hover, :focus-within')
}

function showState(button: HTMLButtonElement, element: Element): void {
  const state = button.parentElement?.querySelector('[data-pause-state]')
  if (!state) return
  state.textContent = element.hasAttribute('data-paused')
    ? 'Paused: what you see stands still.'
    : element.hasAttribute('data-held')
      ? 'Stands still while you are in the list.'
      : ''
}
