// The parts of the ELF64 format that exec() reads.

#define ELF_MAGIC 0x464C457FU   // 0x7f 'E' 'L' 'F', little-endian

// At the start of the file.
struct elfhdr {
  uint magic;
  uchar elf[12];
  ushort type;
  ushort machine;
  uint version;
  uint64 entry;       // first instruction
  uint64 phoff;       // where the program headers are in the file
  uint64 shoff;
  uint flags;
  ushort ehsize;
  ushort phentsize;
  ushort phnum;       // how many of them
  ushort shentsize;
  ushort shnum;
  ushort shstrndx;
};

// A program header describes one segment: bytes of the file that belong
// at an address in memory.
struct proghdr {
  uint32 type;
  uint32 flags;
  uint64 off;         // where in the file
  uint64 vaddr;       // where in memory
  uint64 paddr;
  uint64 filesz;      // bytes in the file ...
  uint64 memsz;       // ... and in memory; the difference is zeroed (bss)
  uint64 align;
};

#define ELF_PROG_LOAD       1   // type: load this one

#define ELF_PROG_FLAG_EXEC  1   // flags
#define ELF_PROG_FLAG_WRITE 2
#define ELF_PROG_FLAG_READ  4
