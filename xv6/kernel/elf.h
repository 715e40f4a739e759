// The parts of the ELF64 format that exec() reads; the rest is here only to
// be in its place.

#define ELF_MAGIC 0x464C457FU   // 0x7f 'E' 'L' 'F', little-endian

// At the start of the file.
struct elfhdr {
  uint magic;
  uchar elf[12];
  ushort type, machine;
  uint version;
  uint64 entry;                // first instruction
  uint64 phoff, shoff;         // where the program headers are in the file
  uint flags;
  ushort ehsize;
  ushort phentsize, phnum;     // size of a program header, and how many
  ushort shentsize, shnum, shstrndx;
};

// A program header describes one segment: bytes of the file that belong
// at an address in memory.
struct proghdr {
  uint32 type, flags;          // ELF_PROG_*, as below
  uint64 off;                  // where in the file
  uint64 vaddr, paddr;         // where in memory; paddr is of no use here
  uint64 filesz, memsz;        // bytes in each; the difference is zeroed (bss)
  uint64 align;
};

enum { ELF_PROG_LOAD = 1 };    // type: load this one
enum { ELF_PROG_FLAG_EXEC = 1, ELF_PROG_FLAG_WRITE = 2, ELF_PROG_FLAG_READ = 4 };
