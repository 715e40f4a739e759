// Short names for the integer types that the kernel and user programs share.

typedef unsigned char  uchar;
typedef unsigned short ushort;
typedef unsigned int   uint;

// Where the width is part of a format (a device register, a page-table
// entry, a block on disk) the code says so with one of these.
typedef unsigned char  uint8;
typedef unsigned short uint16;
typedef unsigned int   uint32;
typedef unsigned long  uint64;

typedef uint64 pde_t;
