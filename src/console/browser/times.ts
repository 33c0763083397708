import { relativeTime } from '../pieces/relative-time.ts'
import { UPDATED } from './updated.ts'

/** Says of each relative time, every second, how far it is from the server's time now. */
export function updateTimes(page: Document): void {
  let offsetMs = 0
  const readServerTime = () => {
    offsetMs = Date.parse(page.documentElement.dataset.now ?? '') - Date.now()
  }
  readServerTime()
  page.addEventListener(UPDATED, readServerTime)
  setInterval(() => {
    for (const time of page.querySelectorAll<HTMLTimeElement>('time[data-relative]')) {
      const text = relativeTime(Date.parse(time.dateTime) - Date.now() - offsetMs)
      if (time.textContent !== text) time.textContent = text
    }
  }, 1000)
}
