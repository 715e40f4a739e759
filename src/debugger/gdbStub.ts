import { type Disposable, DisposableStore } from "../common/disposable.ts";
import type { Hart, StopReason } from "../machine/types.ts";
import { CSR, csrs } from "../riscv/csr.ts";
import { floatRegisters, integerRegisters } from "../riscv/registers.ts";
import type { RunController } from "../session/runController.ts";
import { fromHex, fromLittleHex, littleHex, PacketReader, packet, toHex } from "./gdbPackets.ts";
import type { DebuggedMachine } from "./halt.ts";
import { Space } from "./space.ts";

interface GdbHost {
	readonly machine: DebuggedMachine;
	readonly controller: RunController;
	send(text: string): void;
	breathe(): Promise<void>;
	/** What `monitor` commands tell beyond the stub's own: undefined when there is no such command. */
	monitor?(command: string): string | undefined;
	/** gdb says what it can do (qSupported): the time to keep a history. */
	greeted?(): void;
	/** gdb is gone: `detach`, `kill`. */
	close(how: "detach" | "kill"): void;
}

/** gdb numbers CSRs from 65 on (riscv-tdep.h), the privilege mode is `priv`. */
const pcNumber = 32;
const firstFloat = 33;
const firstCsr = 65;
const privNumber = firstCsr + 4096;
const slice = 2_000_000;
const mostBytes = 0x4000;

const error = (code: number) => `E${code.toString(16).padStart(2, "0")}`;
const badRequest = error(1);
const notThere = error(14);

interface Point {
	readonly disposable: Disposable;
}

/**
 * A gdb stub over a machine: each hart is a thread, addresses are virtual as the hart sees them, breakpoints and watchpoints are the machine's own
 * (nothing is written into the guest), and reverse execution goes through the machine's history.
 */
export class GdbStub implements Disposable {
	private readonly reader: PacketReader;
	private readonly points = new Map<string, Point>();
	private readonly store = new DisposableStore();
	/** Thread for registers and memory, and for stepping; harts count from 1. */
	private hart = 0;
	private interrupted = false;
	private physical = false;
	/** gdb understands why a breakpoint stopped it. */
	private knowsSwbreak = false;
	private last: Promise<void> = Promise.resolve();

	constructor(private readonly host: GdbHost) {
		this.reader = new PacketReader({
			packet: (text) => {
				this.last = this.last.then(() => this.receive(text));
			},
			interrupt: () => this.interrupt(),
			acknowledge: (text) => host.send(text),
		});
	}

	push(text: string): void {
		this.reader.push(text);
	}

	dispose(): void {
		for (const { disposable } of this.points.values()) disposable.dispose();
		this.points.clear();
		this.store.dispose();
	}

	private interrupt(): void {
		this.interrupted = true;
		this.host.controller.pause();
	}

	private async receive(text: string): Promise<void> {
		let answer: string | undefined;
		try {
			answer = await this.answer(text);
		} catch (problem) {
			// What gdb asks for may be impossible; the connection stays.
			answer = `E.${(problem as Error).message.replace(/[#$]/g, " ")}`;
		}
		if (answer !== undefined) this.host.send(packet(answer));
	}

	private get current(): Hart {
		return this.host.machine.harts[this.hart] as Hart;
	}

	private space(): Space {
		const { machine } = this.host;
		const { current } = this;
		if (this.physical || current.mode === 3) return new Space(machine, undefined, "p");
		return Space.ofSatp(machine, current.csr(CSR.satp) ?? 0n, "k");
	}

	// ---- requests --------------------------------------------------------------------------------------------------

	private answer(text: string): Promise<string | undefined> | string | undefined {
		switch (text[0]) {
			case "?":
				return this.stopReply("T05");
			case "g":
				return Array.from({ length: 33 }, (_, i) => this.register(i)).join("");
			case "G":
				return this.writeAll(text.slice(1));
			case "p":
				return this.register(Number.parseInt(text.slice(1), 16)) ?? badRequest;
			case "P":
				return this.writeOne(text.slice(1));
			case "m":
				return this.readMemory(text.slice(1));
			case "M":
				return this.writeMemory(text.slice(1));
			case "H":
				return this.chooseThread(text.slice(1));
			case "T":
				return this.hartNumber(text.slice(1)) === undefined ? badRequest : "OK";
			case "Z":
			case "z":
				return this.point(text);
			case "c":
				return this.go();
			case "s":
				return this.step(this.hart);
			case "b":
				return text === "bs" ? this.back("step") : text === "bc" ? this.back("continue") : "";
			case "D":
				this.host.send(packet("OK"));
				this.host.close("detach");
				return undefined;
			case "k":
				this.host.close("kill");
				return undefined;
			case "v":
				return this.verbose(text);
			case "q":
				return this.query(text);
			case "Q":
				if (text === "QStartNoAckMode") {
					this.host.send(packet("OK"));
					this.reader.silent = true;
					return undefined;
				}
				return text.startsWith("Qqemu.PhyMemMode:") ? this.physicalMode(text) : "";
			default:
				return "";
		}
	}

	private physicalMode(text: string): string {
		this.physical = text.endsWith("1");
		return "OK";
	}

	private verbose(text: string): Promise<string | undefined> | string | undefined {
		if (text === "vCont?") return "vCont;c;C;s;S";
		if (text.startsWith("vKill")) {
			this.host.send(packet("OK"));
			this.host.close("kill");
			return undefined;
		}
		if (!/^vCont;[cCsS]/.test(text)) return "";
		const step = /;[sS](?:[0-9a-f]{2})?(?::(?:p1\.)?([0-9a-f]+))?/.exec(text);
		if (!step) return this.go();
		const hart = step[1] === undefined ? this.hart : (this.hartNumber(step[1]) ?? this.hart);
		return this.step(hart);
	}

	private query(text: string): string {
		if (text.startsWith("qSupported")) {
			this.knowsSwbreak = text.includes("swbreak+");
			this.host.greeted?.();
			const history = this.host.machine.history ? ";ReverseStep+;ReverseContinue+" : "";
			return `PacketSize=${mostBytes.toString(16)};qXfer:features:read+;vContSupported+;QStartNoAckMode+;swbreak+;hwbreak+${history}`;
		}
		if (text.startsWith("qXfer:features:read:"))
			return features(text.slice("qXfer:features:read:".length), this.host.machine.harts);
		if (text === "qfThreadInfo") return `m${this.host.machine.harts.map(({ id }) => (id + 1).toString(16)).join(",")}`;
		if (text === "qsThreadInfo") return "l";
		if (text === "qC") return `QC${(this.hart + 1).toString(16)}`;
		if (text.startsWith("qAttached")) return "1";
		if (text.startsWith("qThreadExtraInfo,")) return this.threadInfo(text.slice("qThreadExtraInfo,".length));
		if (text === "qqemu.PhyMemMode") return this.physical ? "1" : "0";
		if (text.startsWith("qRcmd,")) return this.monitor(text.slice("qRcmd,".length));
		if (text.startsWith("qSymbol")) return "OK";
		return "";
	}

	private threadInfo(text: string): string {
		const number = this.hartNumber(text);
		const hart = number === undefined ? undefined : this.host.machine.harts[number];
		if (!hart) return badRequest;
		const mode = ["user", "supervisor", "?", "machine"][hart.mode];
		return toHex(new TextEncoder().encode(`hart ${hart.id}, ${mode} mode${hart.waiting ? ", waiting" : ""}`));
	}

	private monitor(hex: string): string {
		const bytes = fromHex(hex);
		if (!bytes) return badRequest;
		const command = new TextDecoder().decode(bytes).trim();
		const text = this.host.monitor?.(command) ?? `There is no monitor command '${command}'. 'monitor help' lists them.`;
		return toHex(new TextEncoder().encode(text.endsWith("\n") ? text : `${text}\n`));
	}

	private hartNumber(text: string): number | undefined {
		const number = Number.parseInt(text.replace(/^p[0-9a-f]+\./, ""), 16) - 1;
		return this.host.machine.harts[number] ? number : undefined;
	}

	private chooseThread(text: string): string {
		const id = text.slice(1);
		if (id !== "0" && id !== "-1") {
			const number = this.hartNumber(id);
			if (number === undefined) return badRequest;
			this.hart = number;
		}
		return "OK";
	}

	// ---- registers and memory --------------------------------------------------------------------------------------

	private register(number: number): string | undefined {
		const { current } = this;
		if (number >= 0 && number < 32) return littleHex(current.register(number));
		if (number === pcNumber) return littleHex(current.pc);
		if (number >= firstFloat && number < firstFloat + 32) return littleHex(current.floatRegister(number - firstFloat));
		if (number === privNumber) return littleHex(BigInt(current.mode));
		const value = number >= firstCsr && number < firstCsr + 4096 ? current.csr(number - firstCsr) : undefined;
		return value === undefined ? undefined : littleHex(value);
	}

	private write(number: number, value: bigint): boolean {
		const { current } = this;
		if (number >= 0 && number < 32) current.setRegister(number, value);
		else if (number === pcNumber) current.setPc(value);
		else if (number >= firstFloat && number < firstFloat + 32) current.setFloatRegister(number - firstFloat, value);
		else if (number >= firstCsr && number < firstCsr + 4096) return current.setCsr(number - firstCsr, value);
		else return false;
		return true;
	}

	private writeAll(hex: string): string {
		for (let i = 0; i <= pcNumber; i++) {
			const value = fromLittleHex(hex.slice(16 * i, 16 * i + 16));
			if (value === undefined || hex.length < 16 * (i + 1)) return badRequest;
			if (this.register(i) !== littleHex(value)) this.write(i, value);
		}
		return "OK";
	}

	private writeOne(text: string): string {
		const [number = "", hex = ""] = text.split("=");
		const value = fromLittleHex(hex);
		return value !== undefined && this.write(Number.parseInt(number, 16), value) ? "OK" : badRequest;
	}

	private readMemory(text: string): string {
		const range = rangeOf(text);
		if (!range) return badRequest;
		const bytes = this.space().bytes(range.address, Math.min(range.length, mostBytes / 2));
		return bytes.length === 0 && range.length > 0 ? notThere : toHex(bytes);
	}

	private writeMemory(text: string): string {
		const [place = "", hex = ""] = text.split(":");
		const range = rangeOf(place);
		const bytes = fromHex(hex);
		if (!range || !bytes || bytes.length !== range.length) return badRequest;
		const space = this.space();
		for (let i = 0; i < bytes.length; ) {
			const at = range.address + BigInt(i);
			const physical = space.translate(at);
			if (physical === undefined) return notThere;
			const count = Math.min(bytes.length - i, Number(4096n - (at & 4095n)));
			this.host.machine.memory.write(physical, bytes.subarray(i, i + count));
			i += count;
		}
		return "OK";
	}

	// ---- points ----------------------------------------------------------------------------------------------------

	private point(text: string): string {
		const match = /^([Zz])([0-4]),([0-9a-fA-F]{1,16}),([0-9a-fA-F]{1,4})$/.exec(text);
		if (!match) return badRequest;
		const [, action, kind, addressText, lengthText] = match;
		const key = text.slice(1);
		if (action === "z") {
			this.points.get(key)?.disposable.dispose();
			this.points.delete(key);
			return "OK";
		}
		if (this.points.has(key)) return "OK";
		const address = BigInt(`0x${addressText}`);
		const { machine } = this.host;
		const access = kind === "2" ? "write" : kind === "3" ? "read" : "any";
		const disposable =
			kind === "0" || kind === "1"
				? machine.addBreakpoint(address)
				: machine.addWatchpoint(address, Math.max(1, Number.parseInt(lengthText as string, 16)), access);
		this.points.set(key, { disposable });
		return "OK";
	}

	// ---- running ---------------------------------------------------------------------------------------------------

	private async go(): Promise<string> {
		const { machine, controller } = this.host;
		this.interrupted = false;
		// A breakpoint where the hart stands is passed: gdb has shown it.
		const first = controller.advanceHart(this.hart, 1, { pass: machine.harts.map(({ id }) => id) });
		const told = first.kind === "halt" ? exited(first.code) : this.replyTo(first);
		if (told) {
			this.follow();
			return told;
		}
		if (machine.history?.isPast) return this.goInPast();
		const stop = await controller.runTo(() => ({ dispose: () => undefined }));
		switch (stop?.kind) {
			case "breakpoint":
				this.hart = stop.hart;
				return this.stopReply(this.knowsSwbreak ? "T05swbreak:;" : "T05");
			case "watchpoint":
				this.hart = stop.hart ?? this.hart;
				return this.stopReply(`T05watch:${stop.address.toString(16)};`);
			case "halt":
				return exited(stop.code);
			case "panic":
				return this.stopReply("T06");
			case "off":
			case undefined:
				return exited(0);
			default:
				return this.stopReply("T02");
		}
	}

	/** Through what happened before, up to the present. */
	private async goInPast(): Promise<string> {
		const { machine, controller } = this.host;
		while (machine.history?.isPast) {
			const stop = controller.advance(slice);
			const reply = this.replyTo(stop);
			if (reply) {
				this.follow();
				return reply;
			}
			if (stop.kind === "present") break;
			if (this.interrupted) {
				this.follow();
				return this.stopReply("T02");
			}
			await this.host.breathe();
		}
		this.follow();
		return this.stopReply("T05replaylog:end;");
	}

	private replyTo(stop: StopReason): string | undefined {
		if (stop.kind === "breakpoint") {
			this.hart = stop.hart;
			return this.stopReply(this.knowsSwbreak ? "T05swbreak:;" : "T05");
		}
		if (stop.kind === "watchpoint") {
			this.hart = stop.hart ?? this.hart;
			return this.stopReply(`T05watch:${stop.address.toString(16)};`);
		}
		return undefined;
	}

	private step(number: number): string {
		this.hart = number;
		const stop = this.host.controller.advanceHart(number, 1, { pass: [number] });
		this.follow();
		if (stop.kind === "halt") return exited(stop.code);
		return this.replyTo(stop) ?? this.stopReply("T05");
	}

	private back(how: "step" | "continue"): string {
		const { history } = this.host.machine;
		if (!history) return "";
		const before = `T05replaylog:begin;`;
		if (how === "step") {
			const moved = history.stepBack(this.hart);
			this.follow();
			return this.stopReply(moved ? "T05" : before);
		}
		const found = history.backTo();
		if (!found) history.seek(history.oldest);
		this.follow();
		return found ? (this.replyTo(found.stop) ?? this.stopReply("T05")) : this.stopReply(before);
	}

	private follow(): void {
		const { machine, controller } = this.host;
		controller.follow({ kind: "step" }, machine.history?.isPast === true);
	}

	private stopReply(start: string): string {
		return `${start}thread:${(this.hart + 1).toString(16).padStart(2, "0")};`;
	}
}

/** The guest powered off. */
const exited = (code: number) => `W${(code & 255).toString(16).padStart(2, "0")}`;

function rangeOf(text: string): { address: bigint; length: number } | undefined {
	const match = /^([0-9a-fA-F]{1,16}),([0-9a-fA-F]{1,8})$/.exec(text);
	return match ? { address: BigInt(`0x${match[1]}`), length: Number.parseInt(match[2] as string, 16) } : undefined;
}

/** Part of a target description (gdb manual, appendix G). */
function features(request: string, harts: readonly Hart[]): string {
	const match = /^([\w.-]*):([0-9a-fA-F]+),([0-9a-fA-F]+)$/.exec(request);
	const text = match?.[1] === "target.xml" ? targetXml(harts[0]) : undefined;
	if (!match || text === undefined) return error(0);
	const from = Number.parseInt(match[2] as string, 16);
	const length = Number.parseInt(match[3] as string, 16);
	const part = text.slice(from, from + length);
	return `${from + length >= text.length ? "l" : "m"}${part}`;
}

function targetXml(hart: Hart | undefined): string {
	const type = (name: string) =>
		name === "sp" || name === "gp" || name === "tp" || name === "s0" ? "data_ptr" : name === "ra" ? "code_ptr" : "int";
	const integer = integerRegisters
		.map((name, i) => `<reg name="${name === "s0" ? "fp" : name}" bitsize="64" type="${type(name)}" regnum="${i}"/>`)
		.join("");
	const float = floatRegisters
		.map((name, i) => `<reg name="${name}" bitsize="64" type="ieee_double" regnum="${firstFloat + i}"/>`)
		.join("");
	const control = csrs
		.filter(({ number, name }) => hart?.csr(number) !== undefined && !/^(?:m?hpm|pmpaddr)/.test(name))
		.map(({ name, number }) => `<reg name="${name}" bitsize="64" regnum="${firstCsr + number}"/>`)
		.join("");
	return (
		`<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target version="1.0"><architecture>riscv:rv64</architecture>` +
		`<feature name="org.gnu.gdb.riscv.cpu">${integer}<reg name="pc" bitsize="64" type="code_ptr" regnum="${pcNumber}"/></feature>` +
		`<feature name="org.gnu.gdb.riscv.fpu">${float}</feature>` +
		`<feature name="org.gnu.gdb.riscv.csr">${control}</feature>` +
		`<feature name="org.gnu.gdb.riscv.virtual"><reg name="priv" bitsize="64" regnum="${privNumber}"/></feature></target>`
	);
}
