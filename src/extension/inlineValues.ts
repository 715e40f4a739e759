import * as vscode from "vscode";
import { valuesToShow } from "./cSymbols.ts";

/** Values of variables at the ends of the lines, up to the one where the program stands. */
export function registerInlineValues(): vscode.Disposable {
	return vscode.languages.registerInlineValuesProvider(
		{ pattern: "**/*.{c,h}" },
		{
			provideInlineValues: (document, viewport, { stoppedLocation }) => {
				if (vscode.debug.activeDebugSession?.type !== "xv6") return [];
				return valuesToShow(document.getText(), stoppedLocation.end.line)
					.filter(({ line }) => line >= viewport.start.line && line <= viewport.end.line)
					.map(
						({ name, line, column }) =>
							new vscode.InlineValueVariableLookup(
								new vscode.Range(line, column, line, column + name.length),
								name,
								true,
							),
					);
			},
		},
	);
}
