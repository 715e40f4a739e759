import { html, nothing } from "lit";
import { l10n } from "../l10n.ts";
import { count, since } from "../model/format.ts";
import { chip, icon, Part } from "./part.ts";

/** What ran, and what became of it. */
export class Header extends Part {
	override render() {
		const { info, host, run } = this.store;
		const command = info?.command ?? l10n.t("Memory of the kernel");
		const model = run?.model;
		const where = [
			info?.title && info.title !== info.command ? info.title : "",
			model ? (model.harts.length === 1 ? l10n.t("1 hart") : l10n.t("{0} harts", model.harts.length)) : "",
			info?.seed !== undefined ? l10n.t("seed {0}", info.seed) : "",
		].filter(Boolean);
		return html`
			<header>
				<h1>${command}<small>${where.join(" · ")}</small></h1>
				<div class="verdict">${this.verdict()}<span class="muted">${this.machine()}</span></div>
				${this.output()}
				${host.machine === "none" || host.machine === "dead" ? html`<div class="acts"><button class="btn" @click=${() => this.store.control("boot")}>${icon("vm-running")}${l10n.t("Boot")}</button></div>` : nothing}
				${this.store.problem ? html`<p class="bad" role="alert">${icon("error")} ${this.store.problem}</p>` : nothing}
			</header>`;
	}

	private verdict() {
		const { info, run } = this.store;
		if (run?.model.panicked) return html`<strong class="bad">${icon("error")} ${l10n.t("Kernel panic")}</strong>`;
		switch (info?.outcome) {
			case "passed":
				return html`<strong>${icon("pass")} ${l10n.t("Passed")}</strong>`;
			case "failed":
				return html`<strong class="bad">${icon("error")} ${l10n.t("Failed")}</strong>`;
			case "errored":
				return html`<strong class="bad">${icon("error")} ${l10n.t("Could not be judged")}</strong>`;
			case "not-checked":
				return html`<strong>${icon("question")} ${l10n.t("Not checked")}</strong>`;
			case "not-begun":
				return html`<strong>${icon("circle-outline")} ${l10n.t("Not begun")}</strong>`;
			default:
				return nothing;
		}
	}

	/** The page shows the end of the run, or the machine as it runs. */
	private machine(): string {
		const { store } = this;
		const { host, run } = store;
		if (!run)
			return host.machine === "running" ? l10n.t("Reading the kernel's memory…") : l10n.t("The machine is off.");
		if (host.machine !== "past" && store.following && store.isOver)
			return l10n.t("You see the end of the run; ended processes are as they were last.");
		switch (host.machine) {
			case "running":
				return store.following
					? l10n.t("The machine runs; the page follows it.")
					: l10n.t("The machine runs; the page stays at this moment.");
			case "paused":
				return l10n.t("The machine is paused.");
			case "past":
				return l10n.t("The machine is in its past; the page shows what was known at that moment.");
			case "dead":
				return l10n.t("The machine has ended; its memory is still here.");
			case "none":
				return l10n.t("The machine is off; its memory is still here.");
		}
	}

	private output() {
		const { info } = this.store;
		if (!info?.outcome || info.outcome === "not-begun") return nothing;
		const printed = lastLines(info.actual);
		const expected = lastLines(info.expected);
		if (info.outcome === "passed")
			return printed
				? html`<dl class="printed"><div><dt>${l10n.t("printed")}</dt><dd class="mono">${printed}</dd></div></dl>`
				: nothing;
		return html`
			${info.reasons[0] ? html`<p class="reason">${info.reasons[0]}</p>` : nothing}
			<dl class="printed">
				${expected ? html`<div><dt>${l10n.t("expected")}</dt><dd class="mono">${expected}</dd></div>` : nothing}
				${printed ? html`<div><dt>${l10n.t("printed")}</dt><dd class="mono">${printed}</dd></div>` : nothing}
			</dl>`;
	}
}
customElements.define("xv6-header", Header);

/** The last lines that say something; outputs are long, and their end is what is judged. */
function lastLines(output: string | undefined): string {
	const lines = (output ?? "").split("\n").filter((line) => line.trim() !== "");
	return lines.slice(-3).join("\n");
}

/** Where one is in the run, and the ways from there. Stays at the top. */
class Transport extends Part {
	override render() {
		const { store } = this;
		const { run, index, host } = store;
		if (!run) return nothing;
		const last = run.events.length - 1;
		const [before, next] = [store.fault(-1), store.fault(1)];
		const live = next < 0 && store.alive;
		return html`
			<div class="transport">
				<div role="toolbar" aria-label=${l10n.t("Moment")} @keydown=${this.key}>
					${this.button("debug-reverse-continue", l10n.t("First moment (Home)"), index > 0, () => store.go(0))}
					${this.button("chevron-left", l10n.t("Previous event (←)"), index > 0, () => store.step(-1))}
					${this.button(store.isPlaying ? "debug-pause" : "play", store.isPlaying ? l10n.t("Stop playing (P)") : l10n.t("Play the run (P)"), last > 0, () => store.playOrPause())}
					${this.button("chevron-right", l10n.t("Next event (→)"), index < last, () => store.step(1))}
					${this.button("debug-continue", l10n.t("Last moment (End)"), index < last, () => store.go(last))}
					<button class="btn" tabindex="-1" data-action="previous-fault" ?disabled=${before < 0} title=${l10n.t("Previous fault (Shift+F)")} aria-label=${l10n.t("Previous fault")} @click=${() => store.go(before)}>${icon("arrow-left")}<span class="wide">${l10n.t("Previous fault")}</span></button>
					<button class="btn ${live && store.isOver ? "" : "primary"}" tabindex="-1" data-action="next-fault" ?disabled=${next < 0 && !live} title=${l10n.t("Next fault (F)")} @click=${() => store.nextFault()}>${icon("zap")}${live ? l10n.t("Run to the next fault") : l10n.t("Next fault")}</button>
					${host.machine === "running" ? html`<button class="btn" tabindex="-1" @click=${() => store.control("pause")}>${icon("debug-pause")}${l10n.t("Pause")}</button>` : nothing}
					${host.machine === "past" ? html`<button class="btn" tabindex="-1" @click=${() => store.control("toPresent")}>${icon("debug-continue")}${l10n.t("Go to the present")}</button>` : nothing}
					${host.machine === "paused" ? html`<button class="btn" tabindex="-1" @click=${() => store.control("resume")}>${icon("debug-continue")}${l10n.t("Continue")}</button>` : nothing}
				</div>
				<div class="moment" data-instret=${store.event?.t ?? 0}>${this.moment()}</div>
			</div>`;
	}

	private button(name: string, label: string, on: boolean, work: () => void) {
		return html`<button class="btn icon" tabindex="-1" title=${label} aria-label=${label} ?disabled=${!on} @click=${work}>${icon(name)}</button>`;
	}

	private moment() {
		const { store } = this;
		const run = this.run;
		const { event, index } = store;
		const later = run.events.length - 1 - index;
		return html`
			<b>${count(index + 1)}/${count(run.events.length)}</b>
			${event?.entry ? chip(run, event.entry.pid) : nothing}
			${event ? html`<span>${store.textOf(event)}</span>` : nothing}
			<span class="muted mono" title=${l10n.t("instruction {0}", count(event?.t ?? 0))}>${since(run.start, event?.t ?? run.start)}</span>
			${store.memory?.stale ? html`<span class="tag">${l10n.t("memory as of an earlier event")}</span>` : nothing}
			${!store.following && later > 0 && store.host.machine === "running" ? html`<button class="link" @click=${() => store.go(run.events.length - 1)}>${l10n.t("Follow ({0} later)", count(later))}</button>` : nothing}`;
	}

	override updated(): void {
		const buttons = this.buttons;
		if (!buttons.some((button) => button.tabIndex === 0)) {
			for (const button of buttons) button.tabIndex = -1;
			const first = buttons.find((button) => button.dataset.action === "next-fault") ?? buttons[0];
			if (first) first.tabIndex = 0;
		}
	}

	private get buttons(): HTMLButtonElement[] {
		return [...this.querySelectorAll<HTMLButtonElement>("[role=toolbar] button:not(:disabled)")];
	}

	private key(event: KeyboardEvent): void {
		roamToolbar(event, this.buttons);
	}
}
customElements.define("xv6-transport", Transport);

/** In a toolbar Left and Right move between its buttons, and not through the run. */
export function roamToolbar(event: KeyboardEvent, buttons: readonly HTMLElement[]): void {
	const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
	const at = buttons.indexOf(event.target as HTMLElement);
	if (by === 0 || at < 0) return;
	event.preventDefault();
	event.stopPropagation();
	const next = buttons[(at + by + buttons.length) % buttons.length];
	for (const button of buttons) button.tabIndex = button === next ? 0 : -1;
	next?.focus();
}
