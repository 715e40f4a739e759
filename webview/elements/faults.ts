import { css, html, LitElement, nothing } from "lit";
import type { FaultRow } from "../pageModel.ts";
import { panelStyles } from "./styles.ts";

/** Height of a row in CSS pixels; all rows are one line, so that 50,000 of them need no measuring. */
const rowHeight = 22;
/** The document has whole blocks of rows: scrolling inside a block changes nothing. A row that is drawn anew keeps its elements. */
const block = 8;

const digits = new Intl.NumberFormat("en");
const texts = new WeakMap<FaultRow, string>();

function searchText(row: FaultRow): string {
	let text = texts.get(row);
	if (text === undefined) {
		text = `${row.what} ${row.region} ${row.outcome} ${row.process} ${row.source?.file ?? ""}`.toLowerCase();
		texts.set(row, text);
	}
	return text;
}

/** Page faults in the order they happened, with the system calls between them. Only visible rows are in the document. */
export class FaultsPanel extends LitElement {
	static override styles = [
		panelStyles,
		css`
			.list {
				max-height: max(240px, 60vh);
				overflow-y: auto;
				border: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder, transparent));
			}
			.line {
				display: grid;
				grid-template-columns: 7.5em 7.5em minmax(11em, 1.2fr) minmax(5em, 0.6fr) 6.8em minmax(13.5em, 1fr) minmax(9.5em, 1fr);
				gap: 8px;
				height: ${rowHeight}px;
				contain: strict;
				line-height: ${rowHeight}px;
				overflow: hidden;
				white-space: nowrap;
				padding: 0 4px;
			}
			.line > span {
				overflow: hidden;
				text-overflow: ellipsis;
			}
			.head {
				font-weight: 600;
				color: var(--vscode-descriptionForeground);
			}
			.mark > :last-child {
				grid-column: 3 / -1;
			}
			.mark {
				color: var(--vscode-descriptionForeground);
			}
		`,
	];
	static override properties = {
		faults: { attribute: false },
		notes: { attribute: false },
		pid: { type: Number },
		filter: { state: true },
		onlyBad: { state: true },
		marks: { state: true },
		window: { state: true },
		active: { state: true },
	};
	faults: readonly FaultRow[] = [];
	notes: readonly string[] = [];
	/** Only this process; -1: all. */
	pid = -1;
	filter = "";
	onlyBad = false;
	marks = true;
	active = 0;
	private rows: readonly FaultRow[] = [];
	/** Blocks that are in the document: what is visible, and one above and below. */
	private window = { first: 0, last: 0 };
	private height = 600;
	private readonly resized = new ResizeObserver(([entry]) => {
		this.height = entry?.contentRect.height || this.height;
		this.look();
	});

	override willUpdate(changed: Map<PropertyKey, unknown>): void {
		if (["faults", "filter", "onlyBad", "marks", "pid"].some((name) => changed.has(name))) this.rows = this.choose();
	}

	override firstUpdated(): void {
		const list = this.renderRoot.querySelector(".list");
		if (list) this.resized.observe(list);
		this.look();
	}

	override disconnectedCallback(): void {
		super.disconnectedCallback();
		this.resized.disconnect();
	}

	/** Takes the window along when another block has come into view. */
	private look(): void {
		const top = this.renderRoot.querySelector(".list")?.scrollTop ?? 0;
		const first = Math.max(0, Math.floor(top / rowHeight / block) - 1);
		const last = Math.ceil((top + this.height) / rowHeight / block) + 1;
		if (first !== this.window.first || last !== this.window.last) this.window = { first, last };
	}

	/** Indices of the rows in the document. */
	private get drawn(): { first: number; last: number } {
		const { length } = this.rows;
		return { first: Math.min(length, this.window.first * block), last: Math.min(length, this.window.last * block) };
	}

	override render() {
		const { rows } = this;
		const { first, last } = this.drawn;
		return html`
			${this.notes.map((note) => html`<p class="note">${note}</p>`)}
			<div class="row">
				<label>Filter <input type="text" .value=${this.filter} @input=${this.filtered} placeholder="address, region, outcome"></label>
				<label><input type="checkbox" .checked=${this.onlyBad} @change=${() => (this.onlyBad = !this.onlyBad)}> only refused and repeated</label>
				<label><input type="checkbox" .checked=${this.marks} @change=${() => (this.marks = !this.marks)}> system calls</label>
				<span aria-live="polite">${rows.length} of ${this.faults.length}</span>
			</div>
			<div class="line head" aria-hidden="true">
				<span>Instruction</span><span>Process</span><span>What</span><span>Where</span><span>Needs/has</span><span>Outcome</span><span>Source</span>
			</div>
			<div class="list" role="grid" aria-label="Page faults" aria-rowcount=${rows.length} tabindex="0" @scroll=${this.look} @keydown=${this.key}>
				<div id="before"></div>
				${rows.slice(first, last).map((row, i) => this.line(row, first + i))}
				<div id="after"></div>
			</div>
		`;
	}

	override updated(): void {
		// Set through the object model: the page's policy allows no style attributes.
		const { first, last } = this.drawn;
		const height = (id: string, value: number) =>
			this.renderRoot.querySelector<HTMLElement>(id)?.style.setProperty("height", `${value}px`);
		height("#before", first * rowHeight);
		height("#after", Math.max(0, this.rows.length - last) * rowHeight);
	}

	/** Rows that pass the filters; without any it is the log itself. */
	private choose(): readonly FaultRow[] {
		const wanted = this.filter.trim().toLowerCase();
		if (wanted === "" && this.marks && !this.onlyBad && this.pid < 0) return this.faults;
		return this.faults.filter(
			(row) =>
				(this.marks || row.kind === "fault") &&
				(!this.onlyBad || row.bad) &&
				(this.pid < 0 || row.pid === this.pid) &&
				(wanted === "" || searchText(row).includes(wanted)),
		);
	}

	private line(row: FaultRow, index: number) {
		return html`<div
			class="line ${row.kind === "mark" ? "mark" : ""}"
			role="row"
			aria-rowindex=${index + 1}
			aria-selected=${index === this.active ? "true" : "false"}
			@click=${() => this.pick(index)}
		>
			<span role="gridcell" class="code">${digits.format(row.instret)}</span>
			<span role="gridcell">${row.pid} ${row.process}</span>
			<span role="gridcell" class="code">${row.what}</span>${row.kind === "mark" ? nothing : this.details(row)}
		</div>`;
	}

	private details(row: FaultRow) {
		return html`
			<span role="gridcell">${row.region}</span>
			<span role="gridcell" class="code">${row.needed}</span>
			<span role="gridcell" class=${row.bad ? "bad" : ""}>${row.outcome}</span>
			<span role="gridcell">${row.source ? html`<button class="link" data-fault-source @click=${() => this.open(row)}>${row.source.file}:${row.source.line}</button>` : nothing}</span>`;
	}

	private open(row: FaultRow): void {
		this.dispatchEvent(new CustomEvent("open-source", { detail: row.source, bubbles: true, composed: true }));
	}

	private pick(index: number): void {
		this.active = index;
		const row = this.rows[index];
		if (row?.address)
			this.dispatchEvent(new CustomEvent("show-address", { detail: row, bubbles: true, composed: true }));
	}

	private filtered(event: Event): void {
		this.filter = (event.target as HTMLInputElement).value;
	}

	private key(event: KeyboardEvent): void {
		const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20 };
		const step = steps[event.key];
		const row = this.rows[this.active];
		if (event.key === "Enter" && row?.source) this.open(row);
		if (step === undefined) return;
		event.preventDefault();
		this.pick(Math.min(this.rows.length - 1, Math.max(0, this.active + step)));
		const list = this.renderRoot.querySelector(".list");
		const y = this.active * rowHeight;
		if (list && (y < list.scrollTop || y + rowHeight > list.scrollTop + list.clientHeight))
			list.scrollTop = y - list.clientHeight / 2;
	}
}
customElements.define("xv6-faults", FaultsPanel);
