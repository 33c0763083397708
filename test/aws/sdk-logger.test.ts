import { afterEach, expect, test, vi } from 'vitest'
import { createSdkLogger } from '../../src/aws/sdk-logger.ts'

afterEach(() => vi.restoreAllMocks())

test('createSdkLogger makes warnings those of Node, on one line, and drops all else but what is asked for', () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const said: string[] = []
  const logger = createSdkLogger({ onDebug: text => said.push(text) })
  logger.warn('Multiple credential\n    sources detected\n')
  expect(warn.mock.calls).toEqual([['Multiple credential sources detected', 'AwsSdkWarning']])
  for (const level of ['trace', 'info', 'error'] as const) logger[level]({ input: 's3cret' })
  logger.debug('looking')
  expect(said).toEqual(['looking'])
  expect(warn).toHaveBeenCalledOnce()
})
