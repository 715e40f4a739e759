// What fstat() tells about a file, and the kinds of file there are.
// The kinds are also stored on disk (struct dinode), where 0 means "free".

#define T_DIR     1   // directory
#define T_FILE    2   // plain bytes
#define T_DEVICE  3   // reads and writes go to a driver

struct stat {
  int dev;      // disk that holds the file
  uint ino;     // its inode number there
  short type;   // T_DIR, T_FILE or T_DEVICE
  short nlink;  // directory entries that name it
  uint64 size;  // length in bytes
};
