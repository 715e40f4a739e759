// The physical address space: RAM, ROM, the core's own CLINT and PLIC, and the host's devices.

import {
	ACCESS_8, ACCESS_SPLIT_8, DEVICE_ENTRY_SIZE, DEVICE_TABLE_COUNT, DEVICE_TABLE_ENTRIES, DEVICE_TABLE_MAX, M_RAM_SIZE,
	RAM_BASE, RAM_GUEST_BASE, ROM_BASE, ROM_GUEST_START, ROM_SIZE, S_DEVICE_ACCESSES,
} from "./layout";
import { count } from "./hart";
import { clintLoad, clintStore } from "./clint";
import { plicLoad, plicStore } from "./plic";

// @ts-ignore: decorator
@external("env", "deviceRead") declare function deviceRead(device: u32, offset: u32, size: u32): u32;
// @ts-ignore: decorator
@external("env", "deviceWrite") declare function deviceWrite(device: u32, offset: u32, size: u32, value: u32): void;

const CLINT_START: u64 = 0x2000000;
const CLINT_SIZE: u64 = 0x10000;
const PLIC_START: u64 = 0xc000000;
const PLIC_SIZE: u64 = 0x600000;

/** Set by `deviceLoad` and `deviceStore`: nothing answers at the address, or not to this size or alignment. */
export let busError: bool = false;

// @ts-ignore: decorator
@inline
export function isRam(physical: u64): bool {
	return physical - <u64>RAM_GUEST_BASE < <u64>load<u32>(M_RAM_SIZE);
}

/** Linear address of a physical one in RAM. */
// @ts-ignore: decorator
@inline
export function ramAddress(physical: u64): u32 {
	return RAM_BASE + <u32>(physical - <u64>RAM_GUEST_BASE);
}

/** Linear address of RAM or ROM that may be read, else 0. */
export function readableAddress(physical: u64): u32 {
	if (isRam(physical)) return ramAddress(physical);
	if (physical >= <u64>ROM_GUEST_START && physical < <u64>ROM_SIZE) return ROM_BASE + <u32>physical;
	return 0;
}

export function addDevice(base: u64, size: u64, device: u32, access: u32): void {
	const n = load<u32>(DEVICE_TABLE_COUNT);
	if (n >= <u32>DEVICE_TABLE_MAX) return;
	const e: usize = DEVICE_TABLE_ENTRIES + n * DEVICE_ENTRY_SIZE;
	store<u64>(e, base);
	store<u64>(e, size, 8);
	store<u32>(e, device, 16);
	store<u32>(e, access, 20);
	store<u32>(DEVICE_TABLE_COUNT, n + 1);
}

function findDevice(physical: u64): usize {
	const end: usize = DEVICE_TABLE_ENTRIES + load<u32>(DEVICE_TABLE_COUNT) * DEVICE_ENTRY_SIZE;
	for (let e: usize = DEVICE_TABLE_ENTRIES; e < end; e += DEVICE_ENTRY_SIZE) {
		if (physical - load<u64>(e) < load<u64>(e, 8)) return e;
	}
	return 0;
}

/** Whether the device takes an access of this size. */
function accepts(e: usize, size: u32): bool {
	const mask = load<u32>(e, 20);
	return (mask & size) != 0 || (size == 8 && (mask & (ACCESS_8 | ACCESS_SPLIT_8)) != 0);
}

/** Whether an access of 8 bytes reaches the device as two of 4; else it is one, of which only the low word is looked at. */
function splits(e: usize): bool {
	return (load<u32>(e, 20) & ACCESS_SPLIT_8) != 0;
}

export function deviceLoad(physical: u64, size: u32): u64 {
	busError = false;
	count(S_DEVICE_ACCESSES);
	if (physical & (size - 1)) return refuse();
	if (physical - CLINT_START < CLINT_SIZE) {
		busError = !clintAccepts(<u32>(physical - CLINT_START), size);
		return busError ? 0 : clintLoad(<u32>(physical - CLINT_START), size);
	}
	if (physical - PLIC_START < PLIC_SIZE) return size == 4 ? plicLoad(<u32>(physical - PLIC_START)) : refuse();
	const e = findDevice(physical);
	if (!e || !accepts(e, size)) return refuse();
	const device = load<u32>(e, 16);
	const offset = <u32>(physical - load<u64>(e));
	if (size == 8 && splits(e)) return <u64>deviceRead(device, offset, 4) | (<u64>deviceRead(device, offset + 4, 4) << 32);
	const value = deviceRead(device, offset, size);
	return size >= 4 ? value : value & ((1 << (size << 3)) - 1);
}

export function deviceStore(physical: u64, size: u32, value: u64): void {
	busError = false;
	count(S_DEVICE_ACCESSES);
	if (physical & (size - 1)) {
		busError = true;
		return;
	}
	if (physical - CLINT_START < CLINT_SIZE) {
		const offset = <u32>(physical - CLINT_START);
		if (clintAccepts(offset, size)) clintStore(offset, size, value);
		else busError = true;
		return;
	}
	if (physical - PLIC_START < PLIC_SIZE) {
		if (size == 4) plicStore(<u32>(physical - PLIC_START), <u32>value);
		else busError = true;
		return;
	}
	const e = findDevice(physical);
	if (!e || !accepts(e, size)) {
		busError = true;
		return;
	}
	const device = load<u32>(e, 16);
	const offset = <u32>(physical - load<u64>(e));
	if (size == 8 && splits(e)) {
		deviceWrite(device, offset, 4, <u32>value);
		deviceWrite(device, offset + 4, 4, <u32>(value >> 32));
		return;
	}
	deviceWrite(device, offset, size, size >= 4 ? <u32>value : <u32>value & ((1 << (size << 3)) - 1));
}

function refuse(): u64 {
	busError = true;
	return 0;
}

/** QEMU's ACLINT: software interrupts take words, the timer words and doublewords; nothing is above it. */
function clintAccepts(offset: u32, size: u32): bool {
	if (offset < 0x4000) return size == 4;
	return offset < 0xc000 && size >= 4;
}
