import "@vscode-elements/elements/dist/vscode-button/index.js";
import { css, html, LitElement, nothing } from "lit";
import type { MomentModel } from "../../src/protocol/kernelModel.ts";
import { adaptWalk, ModelKeeper } from "../adapt.ts";
import { Host } from "../host.ts";
import { type FaultRow, type PageModel, type PanelId, panels } from "../pageModel.ts";
import { type MomentAnswer, nowId } from "./compare.ts";
import "./compare.ts";
import "./faults.ts";
import "./findings.ts";
import "./frames.ts";
import "./space.ts";
import { panelStyles } from "./styles.ts";
import type { WalkPanel } from "./walk.ts";
import "./walk.ts";

const titles: Record<PanelId, string> = {
	findings: "Findings",
	space: "Address space",
	walk: "Page-table walk",
	frames: "Frames",
	faults: "Faults",
	processes: "Processes",
	compare: "Before and after",
};

type State = "none" | "running" | "paused" | "dead";

/** The page: what to look at on the left of the toolbar, pause and step on its right, one panel below. */
export class Inspector extends LitElement {
	static override styles = [
		panelStyles,
		css`
			:host {
				padding: 8px 12px;
			}
			[role="tablist"] {
				display: flex;
				flex-wrap: wrap;
				gap: 2px;
				border-bottom: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder, transparent));
			}
			[role="tab"] {
				all: unset;
				padding: 4px 10px;
				cursor: pointer;
				border-bottom: 2px solid transparent;
			}
			[role="tab"][aria-selected="true"] {
				border-bottom-color: var(--vscode-focusBorder);
				font-weight: 600;
			}
			[role="tab"]:focus-visible {
				outline: 1px solid var(--vscode-focusBorder);
			}
		`,
	];
	static override properties = {
		model: { state: true },
		machine: { state: true },
		panel: { state: true },
		pid: { state: true },
		walked: { state: true },
		walkProblem: { state: true },
		walkAddress: { state: true },
		kept: { state: true },
		marked: { state: true },
		problem: { state: true },
	};
	private model: PageModel | undefined;
	private machine: State = "none";
	private panel: PanelId = "findings";
	private pid = -1;
	private walked: WalkPanel["result"];
	private walkProblem = "";
	private walkAddress = "0x3fffffd000";
	/** Process of the fault that was chosen last. */
	private walkPid = -1;
	/** A moment kept for the comparison. */
	private kept: MomentModel | undefined;
	private marked: readonly number[] = [];
	private problem = "";
	private readonly keeper = new ModelKeeper();
	private readonly host: Host = new Host((message) => {
		if (message.type === "state") {
			this.machine = message.state;
			return;
		}
		this.model = this.keeper.take(message.model);
		if (!this.model) this.host.ready();
	});
	/** VS Code changes the body's attributes with the theme, also between two themes of one kind. */
	private readonly themed = new MutationObserver(() => {
		for (const name of ["xv6-frames", "xv6-space"])
			(this.renderRoot.querySelector(name) as { redraw(): void } | null)?.redraw();
	});

	override connectedCallback(): void {
		super.connectedCallback();
		const saved = this.host.state;
		const panel = panels.find((id) => id === saved.panel);
		if (panel) this.panel = panel;
		if (saved.pid !== undefined) this.pid = saved.pid;
		this.host.save({ ...(this.dataset.root ? { root: this.dataset.root } : {}) });
		this.themed.observe(document.body, {
			attributes: true,
			attributeFilter: ["class", "data-vscode-theme-kind", "style"],
		});
		this.host.ready();
	}

	override disconnectedCallback(): void {
		super.disconnectedCallback();
		this.themed.disconnect();
	}

	override updated(changed: Map<PropertyKey, unknown>): void {
		if (changed.has("model") && this.model) this.host.drawn();
	}

	override render() {
		return html`
			<div class="row" role="toolbar" aria-label="Machine">
				<label>Process
					<select @change=${this.picked}>
						<option value="-1" ?selected=${this.pid === -1}>all</option>
						${(this.model?.spaces ?? []).map((space) => html`<option value=${space.pid} ?selected=${space.pid === this.pid}>${space.title}</option>`)}
					</select>
				</label>
				${
					this.machine === "running"
						? this.button("Pause", "pause")
						: this.machine === "paused"
							? html`${this.button("Continue", "resume")}`
							: this.button("Boot", "boot")
				}
				${this.machine === "running" || this.machine === "paused" ? this.button("Step to the next fault", "stepToFault") : nothing}
				<vscode-button secondary @click=${this.keep}>Keep this moment</vscode-button>
				<span class="note" aria-live="polite">${this.status()}</span>
			</div>
			${this.problem ? html`<p class="bad" role="alert">${this.problem}</p>` : nothing}
			<div role="tablist" aria-label="Panels" @keydown=${this.tabKey}>
				${panels.map(
					(id) => html`<button
					role="tab" id="tab-${id}" data-panel-tab=${id} aria-selected=${id === this.panel ? "true" : "false"}
					aria-controls="panel" tabindex=${id === this.panel ? 0 : -1} @click=${() => this.show(id)}
				>${titles[id]}${id === "findings" && (this.model?.findings.length ?? 0) > 0 ? ` (${this.model?.findings.length})` : ""}</button>`,
				)}
			</div>
			<div role="tabpanel" id="panel" aria-labelledby="tab-${this.panel}"
				@open-source=${this.openSource} @show-frames=${this.showFrames} @show-address=${this.showAddress} @walk=${this.walk}>
				${this.body()}
			</div>
		`;
	}

	private body() {
		const { model } = this;
		const notes = model?.notes[this.panel] ?? [];
		if (!model) {
			const on = this.machine === "running" || this.machine === "paused";
			return html`<p class="note">${on ? "Reading the kernel's memory…" : "Boot the machine to see its memory."}</p>`;
		}
		switch (this.panel) {
			case "findings":
				return html`<xv6-findings .findings=${model.findings} .diagnosis=${model.diagnosis ?? ""} .notes=${notes}></xv6-findings>`;
			case "space": {
				const space = model.spaces.find((candidate) => candidate.pid === this.pid) ?? model.spaces.at(-1);
				return html`<xv6-space .space=${space} .notes=${notes}></xv6-space>`;
			}
			case "walk":
				return html`<xv6-walk .result=${this.walked} .problem=${this.walkProblem} .address=${this.walkAddress} .notes=${notes}></xv6-walk>`;
			case "frames":
				return html`<xv6-frames .frames=${model.frames} .pid=${this.pid} .marked=${this.marked} .notes=${notes}></xv6-frames>`;
			case "faults":
				return html`<xv6-faults .faults=${model.faults} .pid=${this.pid} .notes=${notes}></xv6-faults>`;
			case "processes":
				return this.processes(model, notes);
			case "compare":
				return html`<xv6-compare .moments=${model.moments} .pid=${this.pid} .kept=${this.kept} .ask=${this.askMoment}></xv6-compare>`;
		}
	}

	private processes(model: PageModel, notes: readonly string[]) {
		return html`
			${notes.map((note) => html`<p class="note">${note}</p>`)}
			<table aria-label="Processes">
				<thead><tr><th>Pid</th><th>Name</th><th>State</th><th>Parent</th><th>Size</th><th>Runs or waits</th></tr></thead>
				<tbody>${model.processes.map(
					(row) => html`<tr>
					<td>${row.pid}</td><td>${row.name}</td><td>${row.state}</td><td>${row.parent}</td><td class="code">${row.size}</td><td>${row.where}</td>
				</tr>`,
				)}</tbody>
			</table>`;
	}

	private button(label: string, action: "pause" | "resume" | "stepToFault" | "boot") {
		return html`<vscode-button @click=${() => this.control(action)}>${label}</vscode-button>`;
	}

	private status(): string {
		const at = this.model ? ` at instruction ${this.model.instret.toLocaleString("en")}` : "";
		const words: Record<State, string> = { none: "off", running: "running", paused: "paused", dead: "ended" };
		return `The machine is ${words[this.machine]}${at}.`;
	}

	private async control(action: "pause" | "resume" | "stepToFault" | "boot"): Promise<void> {
		this.problem = "";
		try {
			await this.host.ask({ type: "control", action });
		} catch (error) {
			this.problem = (error as Error).message;
		}
	}

	private async walk(event: CustomEvent<string>): Promise<void> {
		await this.walkTo(event.detail);
	}

	private async walkTo(address: string): Promise<void> {
		this.walkAddress = address;
		try {
			const spaces = this.model?.spaces ?? [];
			const wanted = [this.pid, this.walkPid].find((pid) => spaces.some((space) => space.pid === pid));
			const pid = wanted ?? spaces.at(-1)?.pid ?? 0;
			this.walked = adaptWalk(await this.host.ask({ type: "walk", pid, address }));
			this.walkProblem = this.walked ? "" : "There is no page table to walk.";
		} catch (error) {
			this.walkProblem = (error as Error).message;
		}
	}

	private showAddress(event: CustomEvent<FaultRow>): void {
		this.walkAddress = event.detail.address ?? this.walkAddress;
		this.walkPid = event.detail.pid;
	}

	private showFrames(event: CustomEvent<readonly number[]>): void {
		this.marked = event.detail;
		this.show("frames");
	}

	private openSource(event: CustomEvent<{ file: string; line: number }>): void {
		this.host.openSource(event.detail.file, event.detail.line);
	}

	private readonly askMoment = async (moment: number): Promise<MomentAnswer> =>
		(await this.host.ask({ type: "moment", moment })) as MomentAnswer;

	private async keep(): Promise<void> {
		try {
			this.kept = (await this.askMoment(nowId))?.after;
			this.show("compare");
		} catch (error) {
			this.problem = (error as Error).message;
		}
	}

	private picked(event: Event): void {
		this.pid = Number((event.target as HTMLSelectElement).value);
		this.marked = [];
		this.host.save({ pid: this.pid });
	}

	private show(panel: PanelId): void {
		this.panel = panel;
		this.host.save({ panel });
		if (panel === "walk") void this.walkTo(this.walkAddress);
	}

	private tabKey(event: KeyboardEvent): void {
		const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
		if (step === 0) return;
		event.preventDefault();
		const next = panels[(panels.indexOf(this.panel) + step + panels.length) % panels.length] as PanelId;
		this.show(next);
		void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(`#tab-${next}`)?.focus());
	}
}
customElements.define("xv6-inspector", Inspector);
