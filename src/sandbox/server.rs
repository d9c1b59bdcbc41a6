//! The loopback HTTP server: a thread of its own, one port for both services. What is answered is
//! left to `aws` and `github`.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::oneshot;

use super::http::{Answer, Request};
use super::{World, aws, clock, control, github, lock};
use crate::error::{Error, Kind, Result};

/// No request of the two clients comes near this.
const LARGEST: usize = 4 << 20;

#[derive(Debug)]
pub(super) struct Server {
    address: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(super) fn start(world: Arc<Mutex<World>>) -> Result<Self> {
        let failed = |source: io::Error| {
            let what = format!("could not start the simulated services: {source}");
            Error::new(Kind::Io, "io", what)
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = format!("http://{}", listener.local_addr().map_err(failed)?);
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("keyroll-sandbox".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = serve(listener, world) => {}
                        _ = stopped => {}
                    }
                });
            })
            .map_err(failed)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// `http://127.0.0.1:<port>`.
    pub(super) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread may have ended by itself; then nobody listens, which is as well.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, world: Arc<Mutex<World>>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors: others close theirs while we wait.
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            continue;
        };
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let service = service_fn(move |request| handle(request, Arc::clone(&world)));
            // A client that hangs up is no event here.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn handle(
    request: hyper::Request<Incoming>,
    world: Arc<Mutex<World>>,
) -> io::Result<hyper::Response<Full<Bytes>>> {
    let request = read(request).await?;
    let (answer, now) = {
        let mut world = lock(&world);
        let now = world.clock.now();
        let answer = if request.path.starts_with(control::PATH) {
            control::answer(&mut world, &request)
        } else if request.path.starts_with(github::API) {
            github::answer(&mut world.github, &request, now)
        } else {
            let World { clock, aws, .. } = &mut *world;
            aws::answer(aws, &request, clock)
        };
        (answer, now)
    };
    tokio::time::sleep(answer.delay).await;
    if answer.dropped {
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    write(answer, &clock::http_date(now))
}

async fn read(request: hyper::Request<Incoming>) -> io::Result<Request> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, LARGEST).collect().await.map_err(io::Error::other)?;
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &parts.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers
            .entry(name.as_str().to_owned())
            .and_modify(|all| {
                all.push(',');
                all.push_str(&value);
            })
            .or_insert(value);
    }
    Ok(Request {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers,
        body: body.to_bytes().to_vec(),
    })
}

fn write(answer: Answer, date: &str) -> io::Result<hyper::Response<Full<Bytes>>> {
    let mut response = hyper::Response::builder().status(answer.status).header("date", date);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Full::new(Bytes::from(answer.body))).map_err(io::Error::other)
}
