import { html, LitElement } from "lit";
import { followTheme } from "../applyTheme.ts";
import { l10n } from "../l10n.ts";
import { Store } from "../store.ts";
import "./activity.ts";
import "./changes.ts";
import "./findings.ts";
import "./frames.ts";
import "./header.ts";
import "./log.ts";
import "./network.ts";
import "./page.ts";
import "./spaces.ts";
import "./timeline.ts";

/** The page: what run and verdict, when, what is wrong, where, this page, all frames, the log. */
export class Inspector extends LitElement {
	readonly store = new Store();
	private theme: MutationObserver | undefined;
	private leave: (() => void) | undefined;
	private readonly resized = new ResizeObserver(() => this.measure());
	private drawnModel: object | undefined;

	protected override createRenderRoot(): HTMLElement {
		return this;
	}

	override connectedCallback(): void {
		super.connectedCallback();
		this.theme = followTheme();
		this.leave = this.store.subscribe(() => this.requestUpdate());
		this.resized.observe(document.documentElement);
		this.measure();
		window.addEventListener("keydown", this.key);
		this.store.begin(this.dataset.root ?? "");
	}

	override disconnectedCallback(): void {
		super.disconnectedCallback();
		this.theme?.disconnect();
		this.leave?.();
		this.resized.disconnect();
		window.removeEventListener("keydown", this.key);
	}

	private measure(): void {
		const width = document.documentElement.clientWidth;
		if (width === this.store.width) return;
		this.store.width = width;
		this.store.changed();
	}

	override render() {
		const { store } = this;
		const ready = store.run !== undefined;
		return html`
			<main>
				<xv6-header .store=${store}></xv6-header>
				${
					ready
						? html`
					<xv6-transport .store=${store}></xv6-transport>
					<xv6-timeline .store=${store}></xv6-timeline>
					<xv6-findings .store=${store}></xv6-findings>
					<xv6-activity .store=${store}></xv6-activity>
					<div class="body">
						<div class="main">
							<xv6-spaces .store=${store}></xv6-spaces>
							<xv6-changes .store=${store}></xv6-changes>
						</div>
						<xv6-page .store=${store}></xv6-page>
						<div class="rest">
							<xv6-frames .store=${store}></xv6-frames>
							<xv6-network .store=${store}></xv6-network>
							<xv6-log .store=${store}></xv6-log>
						</div>
					</div>`
						: html`<p class="empty">${this.empty()}</p>`
				}
				<p class="sr" role="status">${store.said}</p>
			</main>`;
	}

	private empty(): string {
		return this.store.alive
			? l10n.t("Reading the kernel's memory…")
			: l10n.t("Boot the machine, or run a program, to see what the kernel does with memory.");
	}

	override updated(): void {
		const model = this.store.run?.model;
		if (!model || model === this.drawnModel) return;
		this.drawnModel = model;
		// The parts are drawn in the same turn, after this.
		void Promise.resolve().then(() => this.store.drawn());
	}

	private readonly key = (event: KeyboardEvent): void => {
		if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
		const target = event.composedPath()[0] as HTMLElement;
		if (/^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) return;
		const { store } = this;
		if (!store.run) return;
		const last = store.run.events.length - 1;
		switch (event.key) {
			case "ArrowLeft":
				store.step(-1);
				break;
			case "ArrowRight":
				store.step(1);
				break;
			case "Home":
				store.go(0);
				break;
			case "End":
				store.go(last);
				break;
			case "f":
				void store.nextFault();
				break;
			case "F":
				store.go(store.fault(-1));
				break;
			case "p":
				store.playOrPause();
				break;
			default:
				return;
		}
		event.preventDefault();
	};
}
customElements.define("xv6-inspector", Inspector);
