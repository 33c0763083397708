import { editFile } from '../../../src/client/agent/edit-file.ts'
import { placeBlock } from '../../../src/client/agent/place-block.ts'
import { monotonicClock } from '../../../src/lib/clock.ts'

// A process that writes its own block into a file again and again, as an agent does; prints `done` at its end. With `forever`, it
// goes on until it is killed.
const [, , path = '', key = '', count = '1'] = process.argv
const parts = { clock: monotonicClock(), random: Math.random, uid: process.geteuid?.() }
const last = count === 'forever' ? Number.POSITIVE_INFINITY : Number(count)
for (let i = 1; i <= last; i++) {
  const text = `${key} ${i} ${'x'.repeat(20_000)}\n`
  const options = { comment: '#', place: 'first', hasSections: false, isCheck: false } as const
  await editFile(path, before => placeBlock(before ?? '', { key, text, until: undefined }, options), parts)
  if (i === 1) process.stdout.write('begun\n')
}
process.stdout.write('done\n')
