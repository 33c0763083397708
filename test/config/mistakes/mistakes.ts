import type { Mistake } from './mistake.ts'

/** What operators get wrong, each in one place. A new one is a line here, and its output a block in `mistakes.txt`. */
export const MISTAKES: readonly Mistake[] = [
  { title: 'nothing is wrong' },
  { title: 'a key is misspelled', change: [['resourceId: db-', 'resourceID: db-']] },
]
