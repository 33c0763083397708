import type { SharedNames } from './exceptions.ts'
import { exportsOf, hasDefaultExport, hasNamespaceExport, wholesaleExportsOf } from './exports.ts'
import type { SourceFile } from './source-files.ts'

/**
 * Names that more than one file exports; a re-export is a second place. A value and a type of one name in one file are one.
 * Also what has no name to compare: default exports and namespaces.
 * Also exceptions that nothing needs any more.
 */
export function onePlaceProblems(files: readonly SourceFile[], shared: readonly SharedNames[]): string[] {
  const places = new Map<string, string[]>()
  for (const file of files) {
    for (const name of exportsOf(file)) places.set(name, [...(places.get(name) ?? []), file.path])
  }
  const isShared = (name: string, paths: readonly string[]) =>
    shared.some(
      ({ names, files: allowed }) => names.includes(name) && paths.every(path => allowed.includes(path)),
    )
  const duplicates = [...places]
    .filter(([name, paths]) => paths.length > 1 && !isShared(name, paths))
    .map(([name, paths]) => `${name} is exported by ${paths.join(' and ')}: one name, one meaning, one place`)
  const wholesale = files.flatMap(file =>
    wholesaleExportsOf(file).map(
      specifier => `${file.path} exports all of '${specifier}' a second time: import it from where it is`,
    ),
  )
  const nameless = files
    .filter(hasDefaultExport)
    .map(({ path }) => `${path} has a default export: give it a name`)
  const namespaces = files
    .filter(hasNamespaceExport)
    .map(({ path }) => `${path} exports a namespace: export its names one by one`)
  return [...duplicates.sort(), ...wholesale, ...nameless, ...namespaces, ...unneeded(places, shared)]
}

function unneeded(places: ReadonlyMap<string, readonly string[]>, shared: readonly SharedNames[]): string[] {
  return shared.flatMap(({ names, files }) =>
    names.flatMap(name =>
      files
        .filter(path => !places.get(name)?.includes(path))
        .map(path => `${path} does not export ${name}: take it out of SHARED_NAMES`),
    ),
  )
}
