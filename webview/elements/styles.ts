import { css } from "lit";

/** Shared by all panels; colours only from the theme, borders that high-contrast themes need, and no motion. */
export const panelStyles = css`
	:host {
		display: block;
		color: var(--vscode-foreground);
		font: var(--vscode-font-size, 13px) var(--vscode-font-family, sans-serif);
	}
	table {
		border-collapse: collapse;
		width: 100%;
	}
	th {
		text-align: left;
		font-weight: 600;
		color: var(--vscode-descriptionForeground);
	}
	th,
	td {
		padding: 2px 10px 2px 4px;
		border-bottom: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder, transparent));
		vertical-align: top;
	}
	.code {
		font-family: var(--vscode-editor-font-family, monospace);
		white-space: nowrap;
	}
	tr[tabindex]:focus,
	button:focus-visible,
	canvas:focus-visible,
	[tabindex]:focus-visible {
		outline: 1px solid var(--vscode-focusBorder);
		outline-offset: -1px;
	}
	tr[aria-selected="true"],
	.line[aria-selected="true"] {
		background: var(--vscode-list-activeSelectionBackground);
		color: var(--vscode-list-activeSelectionForeground);
		outline: 1px solid var(--vscode-contrastActiveBorder, transparent);
	}
	select,
	input,
	button.small {
		background: var(--vscode-input-background);
		color: var(--vscode-input-foreground);
		border: 1px solid var(--vscode-input-border, var(--vscode-contrastBorder, transparent));
		font: inherit;
		padding: 2px 4px;
	}
	button.small {
		padding: 2px 8px;
		background: var(--vscode-button-secondaryBackground, transparent);
		color: var(--vscode-button-secondaryForeground, var(--vscode-foreground));
		cursor: pointer;
	}
	/* High-contrast themes name no colour for this; the component's own is dark in all of them. */
	:host-context(body.vscode-high-contrast) vscode-button[secondary],
	:host-context(body.vscode-high-contrast-light) vscode-button[secondary] {
		--vscode-button-secondaryHoverBackground: transparent;
	}
	button.link {
		all: unset;
		color: var(--vscode-textLink-foreground);
		cursor: pointer;
		text-decoration: underline;
	}
	.note {
		color: var(--vscode-descriptionForeground);
		font-style: italic;
		margin: 6px 0;
	}
	.bad {
		color: var(--vscode-errorForeground);
		font-weight: 600;
	}
	.row {
		display: flex;
		gap: 8px;
		align-items: center;
		flex-wrap: wrap;
		margin: 6px 0;
	}
	canvas {
		display: block;
		border: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder, transparent));
	}
`;
