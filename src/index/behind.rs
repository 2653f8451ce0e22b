//! Writing behind: what was read is written while more is read, one batch at a time.

use std::future::Future;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::index::IndexError;

/// A batch that is being written, for threads that may block. Whoever drops it waits until that is done.
pub struct Behind {
    handle: Handle,
    writing: Option<JoinHandle<Result<(), IndexError>>>,
}

impl Behind {
    /// `handle` is of the runtime that the database belongs to.
    pub fn new(handle: Handle) -> Self {
        Behind { handle, writing: None }
    }

    /// Begins to write, once the batch before is written; what went wrong with that one is told.
    pub fn write(
        &mut self,
        batch: impl Future<Output = Result<(), IndexError>> + Send + 'static,
    ) -> Result<(), IndexError> {
        self.wait()?;
        self.writing = Some(self.handle.spawn(batch));
        Ok(())
    }

    /// Waits until all is written.
    pub fn wait(&mut self) -> Result<(), IndexError> {
        let Some(writing) = self.writing.take() else { return Ok(()) };
        self.handle.block_on(writing).unwrap_or_else(|stopped| Err(IndexError::Stopped(stopped)))
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        drop(self.wait());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn batches_are_written_one_after_the_other_and_what_fails_is_told() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let written = Arc::new(Mutex::new(Vec::new()));
        let batch = |number: u32| {
            let written = written.clone();
            async move {
                tokio::time::sleep(std::time::Duration::from_millis(u64::from(5 - number))).await;
                written.lock().unwrap().push(number);
                if number == 3 { Err(IndexError::Decision("3".to_owned())) } else { Ok(()) }
            }
        };
        let mut behind = Behind::new(runtime.handle().clone());
        for number in 0..4 {
            behind.write(batch(number)).unwrap();
        }
        assert!(behind.write(batch(4)).is_err());
        behind.wait().unwrap();
        behind.write(batch(5)).unwrap();
        drop(behind);
        assert_eq!(*written.lock().unwrap(), [0, 1, 2, 3, 5]);
    }
}
