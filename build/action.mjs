// builds the GitHub Action, which lies in the repository as built, because runners run what a tag has
import { buildOneFile } from './one-file.mjs'

export const ACTION_FILE = 'action/index.mjs'

/** Builds the file that action.yml names, or the same elsewhere, for a test to compare. */
export function buildAction(outfile = ACTION_FILE) {
  return buildOneFile({ entry: 'handlers/action.ts', outfile })
}

if (import.meta.filename === process.argv[1]) await buildAction()
