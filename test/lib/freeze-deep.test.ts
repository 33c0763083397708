import { createSecretKey, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { freezeDeep } from '../../src/lib/freeze-deep.ts'

test('freezes plain objects and lists, however deep, and leaves others as they are', () => {
  const key = createSecretKey(randomBytes(32))
  const value = freezeDeep({ admin: { port: 1 }, audit: [{ path: 'a' }], key, members: Object.create(null) })
  expect(() => Object.assign(value.admin, { cb: 1 })).toThrow(TypeError)
  expect(() => value.audit.push({ path: 'b' })).toThrow(TypeError)
  expect(() => Object.assign(value.audit[0] ?? {}, { path: 'b' })).toThrow(TypeError)
  expect(Object.isFrozen(value.members)).toBe(true)
  expect(Object.isFrozen(key)).toBe(false)
  expect(value).toEqual({ admin: { port: 1 }, audit: [{ path: 'a' }], key, members: {} })
})

test('does not overflow the stack', () => {
  let deep: object = {}
  for (let i = 0; i < 100_000; i++) deep = { deep }
  expect(Object.isFrozen(freezeDeep(deep))).toBe(true)
})
