const SHOWN_MS = 2000

/** Has buttons with `data-copies`, the id of an element, copy its text. Where the browser cannot, they stay hidden. */
export function offerCopies(page: Document): void {
  const { clipboard } = navigator as { clipboard?: Clipboard }
  if (!clipboard) return
  for (const button of page.querySelectorAll<HTMLButtonElement>('[data-copies]')) {
    const label = button.textContent
    button.hidden = false
    button.addEventListener('click', async () => {
      const text = page.getElementById(button.dataset.copies ?? '')?.textContent ?? ''
      const isCopied = await clipboard.writeText(text).then(
        () => true,
        () => false,
      )
      button.textContent = isCopied ? 'Copied' : 'Not copied'
      setTimeout(() => {
        button.textContent = label
      }, SHOWN_MS)
    })
  }
}
