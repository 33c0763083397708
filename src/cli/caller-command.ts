import { CallerError, errorLine, invalidUsage } from '../client/errors.ts'
import type { TextOutput } from './streams.ts'

/** Returns the exit code of a caller's command. If it throws, prints why and returns the error's exit code, or 1. */
export async function catchCallerErrors(stderr: TextOutput, command: () => Promise<number>): Promise<number> {
  try {
    return await command()
  } catch (cause) {
    stderr.write(errorLine(cause))
    return cause instanceof CallerError ? cause.exitCode : 1
  }
}

/** Parses what `-o` takes in commands that print for people or for scripts. Throws CallerError for anything else. */
export function parseTextOrJson(output = 'text'): 'text' | 'json' {
  if (output === 'text' || output === 'json') return output
  throw invalidUsage('-o takes one of text, json')
}
