// Flags for open(). The first three are values of a two-bit field,
// the others are single bits to be or-ed in.

#define O_RDONLY  0x000
#define O_WRONLY  0x001
#define O_RDWR    0x002
#define O_CREATE  0x200   // make the file if the path does not exist
#define O_TRUNC   0x400   // throw away the old content
