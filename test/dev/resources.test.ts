import { expect, test } from 'vitest'
import { createResources } from '../../src/dev/resources.ts'

test('close ends everything, the last first, whatever fails', async () => {
  const ended: string[] = []
  const resources = createResources()
  for (const name of ['first', 'second', 'third'])
    await resources.start(
      async () => name,
      async started => {
        ended.push(started)
        if (started === 'second') throw new Error('it does not end')
      },
    )
  await resources.close()
  await resources.close()
  expect(ended).toEqual(['third', 'second', 'first'])
})

test('close waits for what is still starting, and ends it; what cannot start needs no end', async () => {
  const ended: string[] = []
  const resources = createResources()
  let finish = () => {}
  const starting = resources.start(
    () => new Promise<string>(resolve => (finish = () => resolve('late'))),
    async started => ended.push(started),
  )
  const failing = resources.start(
    async () => Promise.reject(new Error('broken')),
    async () => ended.push('never started'),
  )
  await expect(failing).rejects.toThrow('broken')
  const closing = resources.close()
  expect(ended).toEqual([])
  finish()
  await Promise.all([starting, closing])
  expect(ended).toEqual(['late'])
})

test('nothing starts once everything is being closed', async () => {
  const resources = createResources()
  const closing = resources.close()
  let hasStarted = false
  const start = async () => {
    hasStarted = true
  }
  await expect(resources.start(start, async () => {})).rejects.toThrow('the program is ending')
  await closing
  expect(hasStarted).toBe(false)
})
