import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { configPath, environmentRegion } from '../../src/config/environment.ts'

it('finds the configuration by the option, else the environment, else beside', () => {
  expect(configPath('a.yaml', { JETON_CONFIG: 'b.yaml' })).toBe(resolve('a.yaml'))
  expect(configPath(undefined, { JETON_CONFIG: '/etc/b.yaml' })).toBe('/etc/b.yaml')
  expect(configPath(undefined, { JETON_CONFIG: '' })).toBe(resolve('jeton.yaml'))
})

it('knows the region that the environment names', () => {
  expect(environmentRegion({ AWS_REGION: 'eu-west-1' })).toBe('eu-west-1')
  expect(environmentRegion({ AWS_REGION: '' })).toBeUndefined()
})
