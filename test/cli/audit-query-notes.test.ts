import { expect, test } from 'vitest'
import { createSearchNotes } from '../../src/cli/audit-query-notes.ts'

test('a note says where records of a followed log are missing, and no name controls the terminal', () => {
  let stderr = ''
  const notes = createSearchNotes({
    write(text: string) {
      stderr += text
      return true
    },
  })
  notes.onMissing({ file: 'a\u001b[2J.jsonl', offset: 812, expected: 'x', found: 'y' })
  expect(stderr).toBe(
    'note: a\\u001b[2J.jsonl: the record that ends at byte 812 does not continue the one before: records are missing, or the log is another one\n',
  )
})
