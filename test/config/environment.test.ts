import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { configPath } from '../../src/config/environment.ts'

it('finds the configuration by the option, else the environment, else beside', () => {
  expect(configPath('a.yaml', { JETON_CONFIG: 'b.yaml' })).toBe(resolve('a.yaml'))
  expect(configPath(undefined, { JETON_CONFIG: '/etc/b.yaml' })).toBe('/etc/b.yaml')
  expect(configPath(undefined, { JETON_CONFIG: '' })).toBe(resolve('jeton.yaml'))
})
