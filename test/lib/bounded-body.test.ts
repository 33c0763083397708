import { expect, test } from 'vitest'
import { readBounded } from '../../src/lib/bounded-body.ts'

const refusal = (what: string, cause?: unknown) => new Error(`the server ${what}`, { cause })

/** A response whose body comes in these chunks, and how many of them were taken. */
function respond(chunks: readonly string[], fault?: Error) {
  const taken = { chunks: 0 }
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[taken.chunks]
        if (chunk !== undefined) {
          taken.chunks++
          controller.enqueue(Buffer.from(chunk))
        } else if (fault) controller.error(fault)
        else controller.close()
      },
    },
    { highWaterMark: 0 },
  )
  return { response: new Response(body), taken }
}

test('readBounded returns all of a body within the limit', async () => {
  const { response } = respond(['ab', 'cd'])
  expect(Buffer.from(await readBounded(response, { maxBytes: 4, refusal })).toString()).toBe('abcd')
})

test('readBounded returns no bytes of a response without a body', async () => {
  expect(await readBounded(new Response(null), { maxBytes: 4, refusal })).toHaveLength(0)
})

test('readBounded refuses a longer body without taking a chunk more', async () => {
  const { response, taken } = respond(['ab', 'cde', 'f'])
  await expect(readBounded(response, { maxBytes: 4, refusal })).rejects.toThrow(
    'the server answered with more than 4 bytes',
  )
  expect(taken.chunks).toBe(2)
})

test('readBounded refuses a body that breaks off, with the cause', async () => {
  const fault = new Error('reset')
  const { response } = respond(['ab'], fault)
  const error = await readBounded(response, { maxBytes: 4, refusal }).catch((cause: unknown) => cause)
  expect(error).toMatchObject({ message: 'the server broke off its answer', cause: fault })
})
