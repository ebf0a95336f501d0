// Connection.backup in two calls, between which Python runs the progress callback: _backup_start makes a capsule that owns
// the engine's Backup, _backup_step copies some pages.
#include "engine/backup.h"

#include "bindings/errors.h"
#include "bindings/objects.h"

namespace turdb::bindings {
namespace {

constexpr char kCapsuleName[] = "turdb.backup";

void Destroy(PyObject* capsule) {
  auto* backup = static_cast<engine::Backup*>(PyCapsule_GetPointer(capsule, kCapsuleName));
  GilReleased released;
  delete backup;
}

}  // namespace

PyObject* BackupStart(PyObject* self, PyObject* args) {
  PyObject* target = nullptr;
  const char* name = nullptr;
  if (!PyArg_ParseTuple(args, "O!s", connection_type, &target, &name)) return nullptr;
  Session* from = UsableSession(self);
  Session* to = from == nullptr ? nullptr : UsableSession(target);
  if (to == nullptr) return nullptr;
  const std::shared_ptr<engine::Connection> source = from->engine, destination = to->engine;
  absl::StatusOr<std::unique_ptr<engine::Backup>> started = absl::InternalError("");
  {
    GilReleased released;
    started = engine::Backup::Start(source.get(), destination.get(), name);
  }
  if (!started.ok()) {
    RaiseStatus(started.status());
    return nullptr;
  }
  return PyCapsule_New(started->release(), kCapsuleName, Destroy);
}

PyObject* BackupStep(PyObject*, PyObject* args) {
  PyObject* capsule = nullptr;
  long long pages = 0;
  if (!PyArg_ParseTuple(args, "OL", &capsule, &pages)) return nullptr;
  auto* backup = static_cast<engine::Backup*>(PyCapsule_GetPointer(capsule, kCapsuleName));
  if (backup == nullptr) return nullptr;
  absl::StatusOr<bool> is_done = false;
  {
    GilReleased released;
    is_done = backup->Step(pages);
  }
  if (!is_done.ok()) {
    RaiseStatus(is_done.status());
    return nullptr;
  }
  return Py_BuildValue("(NKK)", PyBool_FromLong(*is_done), static_cast<unsigned long long>(backup->remaining_pages()),
                       static_cast<unsigned long long>(backup->total_pages()));
}

}  // namespace turdb::bindings
