// ls [path ...]: name, type, inode number and size of files; a directory is
// shown by its entries.

#include "kernel/types.h"
#include "kernel/stat.h"
#include "kernel/fs.h"
#include "kernel/fcntl.h"
#include "user/user.h"

// A name from the disk may fill its field without a terminating 0.
static void
show(const char *name, int length, struct stat *st)
{
  char text[DIRSIZ + 1];

  memset(text, ' ', DIRSIZ);
  memmove(text, name, length < DIRSIZ ? length : DIRSIZ);
  text[DIRSIZ] = 0;
  printf("%s %d %d %d\n", text, st->type, (int)st->ino, (int)st->size);
}

static const char*
last_part(const char *path)
{
  const char *name = path;

  for(const char *s = path; *s; s++)
    if(*s == '/')
      name = s + 1;
  return name;
}

static void
list(const char *path, int fd)
{
  struct dirent entry;
  struct stat st;
  char name[512];

  uint length = strlen(path);
  if(length + 1 + DIRSIZ + 1 > sizeof(name)){
    fprintf(2, "ls: path too long\n");
    return;
  }
  memmove(name, path, length);
  name[length++] = '/';
  while(read(fd, &entry, sizeof(entry)) == sizeof(entry)){
    if(entry.inum == 0)
      continue;
    memmove(name + length, entry.name, DIRSIZ);
    name[length + DIRSIZ] = 0;
    if(stat(name, &st) < 0)
      fprintf(2, "ls: cannot stat %s\n", name);
    else
      show(name + length, strlen(name + length), &st);
  }
}

static void
ls(const char *path)
{
  struct stat st;
  int fd = open(path, O_RDONLY);

  if(fd < 0 || fstat(fd, &st) < 0){
    fprintf(2, "ls: cannot open %s\n", path);
    if(fd >= 0)
      close(fd);
    return;
  }
  if(st.type == T_DIR){
    list(path, fd);
  } else {
    const char *name = last_part(path);
    show(name, strlen(name), &st);
  }
  close(fd);
}

int
main(int argc, char **argv)
{
  if(argc < 2)
    ls(".");
  for(int i = 1; i < argc; i++)
    ls(argv[i]);
  exit(0);
}
